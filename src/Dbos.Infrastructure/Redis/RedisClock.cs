using System.Diagnostics;

namespace Dbos.Infrastructure.Redis;

/// <summary>
/// Redis's clock, as last heard and carried on by this process's monotonic one: replicas whose own clocks
/// differ agree on when a task is due. Before Redis was heard of it is the process's clock.
/// </summary>
public sealed class RedisClock : TimeProvider
{
    private Heard? heard;

    public override DateTimeOffset GetUtcNow() =>
        Volatile.Read(ref heard) is { } last ? last.Told + Stopwatch.GetElapsedTime(last.At) : base.GetUtcNow();

    /// <param name="seconds">Of Redis's TIME, since the Unix epoch.</param>
    /// <param name="microseconds">Of Redis's TIME, since the second.</param>
    /// <param name="asked">Stopwatch timestamp at which it was asked; the answer is taken to be from half way since.</param>
    public void Hear(long seconds, long microseconds, long asked)
    {
        var answered = Stopwatch.GetTimestamp();
        var told = DateTimeOffset.FromUnixTimeSeconds(seconds).AddMicroseconds(microseconds);
        Volatile.Write(ref heard, new Heard(told, asked + ((answered - asked) / 2)));
    }

    private sealed record Heard(DateTimeOffset Told, long At);
}
