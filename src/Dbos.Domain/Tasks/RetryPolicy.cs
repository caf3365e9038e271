namespace Dbos.Domain.Tasks;

/// <summary>How often a task may come back before it is a dead letter.</summary>
/// <param name="MaxRetries">After a failure that its holder tells.</param>
/// <param name="MaxExpiries">After an expired lease: larger, as a crashed worker is not a bad task.</param>
public sealed record RetryPolicy(int MaxRetries, int MaxExpiries);

/// <summary>How long a failed task rests when its holder does not say: twice as long after each failure.</summary>
/// <param name="Base">After the first failure.</param>
/// <param name="Cap">At the longest.</param>
public sealed record Backoff(TimeSpan Base, TimeSpan Cap)
{
    /// <summary>The delays after the first failure, the second, and so on, up to the one that is the longest.</summary>
    /// <param name="random">As for <see cref="Delay"/>.</param>
    public IReadOnlyList<TimeSpan> Delays(double random)
    {
        var delays = new List<TimeSpan>();
        for (var failures = 1; ; failures++)
        {
            delays.Add(Delay(failures, random));
            if (Base.TotalSeconds * Math.Pow(2, failures - 1) >= Cap.TotalSeconds)
            {
                return delays;
            }
        }
    }

    /// <param name="failures">One or more.</param>
    /// <param name="random">From 0 to 1: the upper half of the delay is jitter, so that what failed together does not return together.</param>
    public TimeSpan Delay(int failures, double random)
    {
        var full = Math.Min(Cap.TotalSeconds, Base.TotalSeconds * Math.Pow(2, failures - 1));
        return TimeSpan.FromSeconds(full * (1 + random) / 2);
    }
}
