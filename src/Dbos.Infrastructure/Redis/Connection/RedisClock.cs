namespace Dbos.Infrastructure.Redis.Connection;

/// <summary>
/// Redis's clock, as it last answered and carried on by this process's monotonic one: replicas whose own clocks
/// differ agree on when a task is due. It is never ahead of Redis's, so what is stored as due now is due in the scripts too.
/// Until Redis has answered it is the process's clock.
/// </summary>
/// <param name="process">This process's clock.</param>
public sealed class RedisClock(TimeProvider process) : TimeProvider
{
    /// <summary>For which an answer that came sooner counts more than a later one: two clocks drift by less than a millisecond meanwhile.</summary>
    private static readonly TimeSpan CarriedOn = TimeSpan.FromSeconds(10);

    /// <summary>A step back that is no longer is the answer's delay, or waited out. A longer one is a change of Redis's clock.</summary>
    private static readonly TimeSpan WaitedOut = TimeSpan.FromSeconds(1);

    private Answer? latest;

    public override DateTimeOffset GetUtcNow()
    {
        if (Volatile.Read(ref latest) is not { } last)
        {
            return process.GetUtcNow();
        }

        var now = last.Time + process.GetElapsedTime(last.At);
        return now < last.NotBefore ? last.NotBefore : now;
    }

    /// <summary>To be called as soon as Redis has answered: Redis's time is this or later.</summary>
    /// <param name="seconds">Of Redis's TIME, since the Unix epoch.</param>
    /// <param name="microseconds">Of Redis's TIME, since the second.</param>
    public void Set(long seconds, long microseconds)
    {
        var answered = process.GetTimestamp();
        var time = DateTimeOffset.FromUnixTimeSeconds(seconds).AddMicroseconds(microseconds);
        var notBefore = default(DateTimeOffset);
        if (Volatile.Read(ref latest) is { } last)
        {
            var before = GetUtcNow();
            var isSmallStepBack = before > time && before - time < WaitedOut;
            if (isSmallStepBack && process.GetElapsedTime(last.At, answered) < CarriedOn)
            {
                return;
            }

            notBefore = isSmallStepBack ? before : default;
        }

        Volatile.Write(ref latest, new Answer(time, answered, notBefore));
    }

    /// <param name="NotBefore">The clock showed this already.</param>
    private sealed record Answer(DateTimeOffset Time, long At, DateTimeOffset NotBefore);
}
