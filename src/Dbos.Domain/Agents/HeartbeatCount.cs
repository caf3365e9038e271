namespace Dbos.Domain.Agents;

/// <summary>
/// How many heartbeats an agent has sent. Each caller counts for itself, from 1 whenever it restarts, and several may report the same
/// agent in turns: the total adds the rise of each caller's count. Callers have no names, so a count belongs to the caller with the
/// nearest count below it.
/// </summary>
/// <param name="Callers">The last counts of the callers with the latest heartbeats.</param>
public sealed record HeartbeatCount(int Total, IReadOnlyList<CallerCount> Callers)
{
    private const int MostCallers = 4;

    /// <param name="count">0: the first heartbeat had none.</param>
    public static HeartbeatCount First(int count, long lastSeen) => new(count, count > 0 ? [new CallerCount(count, lastSeen)] : []);

    /// <param name="count">The caller's own; 0: not reported.</param>
    /// <param name="lastSeen">Of the heartbeat.</param>
    /// <param name="newest">The latest last_seen of all heartbeats before.</param>
    public HeartbeatCount Hear(int count, long lastSeen, long newest)
    {
        if (count == 0 || Callers.Any(caller => caller.Count == count && lastSeen <= caller.LastSeen))
        {
            return this;
        }

        var older = Callers.Where(caller => caller.Count <= count && caller.LastSeen <= lastSeen);
        var caller = older.FirstOrDefault(caller => caller.Count == count - 1) ?? older.MaxBy(caller => caller.Count);
        if (caller is null && Callers.Count > 0 && lastSeen <= newest)
        {
            // Smaller than every count and not newer: a heartbeat that was delayed or sent again.
            return this;
        }

        var rise = count - (caller?.Count ?? 0);
        return new HeartbeatCount(
            (int)Math.Min(int.MaxValue, (long)Total + rise),
            [.. Callers.Where(other => other != caller).OrderByDescending(other => other.LastSeen).Take(MostCallers - 1), new CallerCount(count, lastSeen)]);
    }
}

/// <param name="Count">Of heartbeats, as the caller last reported it.</param>
/// <param name="LastSeen">Unix seconds, of that heartbeat.</param>
public sealed record CallerCount(int Count, long LastSeen);
