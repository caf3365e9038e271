namespace Dbos.Domain.Agents;

/// <summary>From here on an agent was connected, or lost.</summary>
/// <param name="Cause">Connected: one of <see cref="Registered"/> and <see cref="Heard"/>; lost: of <see cref="Timeout"/> and <see cref="Reported"/>.</param>
public sealed record AgentChange(DateTimeOffset At, bool Alive, string Cause)
{
    public const string Registered = "registered", Heard = "heard", Timeout = "timeout", Reported = "reported";
}

/// <param name="Until">Null: it lasts.</param>
/// <param name="Cause">Why it began.</param>
public sealed record AgentPeriod(bool Alive, DateTimeOffset From, DateTimeOffset? Until, string Cause);

/// <summary>When an agent was connected and when it was lost, within a window of time.</summary>
/// <param name="Periods">Oldest first; the first may have begun before the window.</param>
/// <param name="From">Of the window, or since when anything is known.</param>
/// <param name="KnownSince">The agent keeps its latest changes alone.</param>
public sealed record AgentHistory(
    IReadOnlyList<AgentPeriod> Periods, DateTimeOffset From, DateTimeOffset Until, DateTimeOffset KnownSince)
{
    /// <summary>The part of the window in which it was connected, 0 to 1.</summary>
    public double Uptime => From < Until
        ? Periods.Where(period => period.Alive).Sum(period => (End(period) - Start(period)).TotalSeconds) / (Until - From).TotalSeconds
        : Periods[^1].Alive ? 1 : 0;

    /// <param name="window">Null: as far as is known.</param>
    public static AgentHistory Of(Agent agent, TimeSpan? window, DateTimeOffset now, TimeSpan timeout)
    {
        // Silence that no sweep has come upon yet is told all the same, as `alive` is.
        var changes = agent.Lose(now, timeout).Next.Changes;
        if (changes.Count == 0)
        {
            // Stored before changes were kept.
            changes = [new AgentChange(agent.HeardAt, agent.Alive, string.Empty)];
        }

        var knownSince = changes[0].At;
        var from = window is { } length && now - length > knownSince ? now - length : knownSince;
        var periods = changes
            .Select((change, i) => new AgentPeriod(change.Alive, change.At, i + 1 < changes.Count ? changes[i + 1].At : null, change.Cause))
            .Where(period => period.Until is not { } until || until > from);
        return new AgentHistory([.. periods], from, now, knownSince);
    }

    private DateTimeOffset Start(AgentPeriod period) => period.From > From ? period.From : From;

    private DateTimeOffset End(AgentPeriod period) => period.Until ?? Until;
}
