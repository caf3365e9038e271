using Dbos.Chaos.Faults;

namespace Dbos.Chaos.Histories;

/// <summary>All that DBOS has after the last call.</summary>
/// <param name="Events">Those of one subject in the order of their commits.</param>
/// <param name="Inconsistencies">What CheckConsistency found.</param>
internal sealed record FinalState(
    IReadOnlyList<Agent> Agents,
    IReadOnlyList<ModuleState> States,
    IReadOnlyList<MeasurementResult> Results,
    IReadOnlyList<WireTask> Tasks,
    IReadOnlyList<LoggedEvent> Events,
    IReadOnlyList<string> Inconsistencies)
{
    public static async Task<FinalState> Read(IEnumerable<string> addresses, Backing backing)
    {
        using var caller = new AnyReplica(addresses);
        var agents = await caller.ListAgents();
        return new FinalState(
            agents,
            await caller.ListModuleStates(),
            await caller.ListResults(agentId: string.Empty),
            await caller.ListTasks(),
            await ReadLogs(backing),
            [.. (await caller.CheckConsistency()).Select(found => found.Description)]);
    }

    /// <summary>GetEvents tells the newest ten thousand, so the logs themselves are read, one for each partition.</summary>
    private static async Task<IReadOnlyList<LoggedEvent>> ReadLogs(Backing backing)
    {
        var events = new List<LoggedEvent>();
        foreach (var master in await backing.Masters())
        {
            foreach (var log in Lines(await master.Ask("keys", "*}:events")))
            {
                // Each entry is three lines: its id, the field's name and the event.
                events.AddRange(Lines(await master.Ask("xrange", log, "-", "+")).Where(line => line.StartsWith('{')).SelectMany(LoggedEvent.Read));
            }
        }

        return events;

        static string[] Lines(string answer) => answer.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
