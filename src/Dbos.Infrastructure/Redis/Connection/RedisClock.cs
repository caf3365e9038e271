using System.Diagnostics;

namespace Dbos.Infrastructure.Redis.Connection;

/// <summary>
/// Redis's clock, as last heard and carried on by this process's monotonic one: replicas whose own clocks
/// differ agree on when a task is due. Before Redis was heard of it is the process's clock.
/// </summary>
public sealed class RedisClock : TimeProvider
{
    /// <summary>Half of it is the error: a lease is expired, or relied on, by so much too early or too late.</summary>
    private static readonly TimeSpan Prompt = TimeSpan.FromMilliseconds(100);

    /// <summary>For which this process's own clock is the surer one: two clocks drift by less than a millisecond meanwhile.</summary>
    private static readonly TimeSpan CarriedOn = TimeSpan.FromSeconds(10);

    /// <summary>
    /// What was due a moment ago must not be due later again because the next answer took another way: a step back that is no longer is
    /// waited out. A longer one is Redis's own.
    /// </summary>
    private static readonly TimeSpan WaitedOut = TimeSpan.FromSeconds(1);

    private Heard? heard;

    public override DateTimeOffset GetUtcNow()
    {
        if (Volatile.Read(ref heard) is not { } last)
        {
            return base.GetUtcNow();
        }

        var now = last.Told + Stopwatch.GetElapsedTime(last.At);
        return now < last.NotBefore ? last.NotBefore : now;
    }

    /// <param name="seconds">Of Redis's TIME, since the Unix epoch.</param>
    /// <param name="microseconds">Of Redis's TIME, since the second.</param>
    /// <param name="asked">Stopwatch timestamp at which it was asked; the answer is taken to be from half way since. One that was long under
    /// way tells too little, and is heard only when no better one was for a while.</param>
    public void Hear(long seconds, long microseconds, long asked)
    {
        var answered = Stopwatch.GetTimestamp();
        if (Stopwatch.GetElapsedTime(asked, answered) > Prompt
            && Volatile.Read(ref heard) is { } last
            && Stopwatch.GetElapsedTime(last.At, answered) < CarriedOn)
        {
            return;
        }

        var told = DateTimeOffset.FromUnixTimeSeconds(seconds).AddMicroseconds(microseconds);
        var at = asked + ((answered - asked) / 2);
        var before = GetUtcNow();
        var back = before - (told + Stopwatch.GetElapsedTime(at));
        var isWaitedOut = heard is not null && back > TimeSpan.Zero && back < WaitedOut;
        Volatile.Write(ref heard, new Heard(told, at, NotBefore: isWaitedOut ? before : default));
    }

    /// <param name="NotBefore">It was as late before.</param>
    private sealed record Heard(DateTimeOffset Told, long At, DateTimeOffset NotBefore);
}
