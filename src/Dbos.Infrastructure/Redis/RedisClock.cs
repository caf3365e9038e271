using System.Diagnostics;

namespace Dbos.Infrastructure.Redis;

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

    private Heard? heard;

    public override DateTimeOffset GetUtcNow() =>
        Volatile.Read(ref heard) is { } last ? last.Told + Stopwatch.GetElapsedTime(last.At) : base.GetUtcNow();

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
        Volatile.Write(ref heard, new Heard(told, asked + ((answered - asked) / 2)));
    }

    private sealed record Heard(DateTimeOffset Told, long At);
}
