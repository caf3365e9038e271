using Dbos.Chaos.Histories;

namespace Dbos.Chaos.Checking;

internal static class AgentChecks
{
    public static IEnumerable<Violation> Check(IReadOnlyList<Call> calls, FinalState final)
    {
        var stored = final.Agents.ToDictionary(agent => agent.Id);
        foreach (var told in calls.Where(call => call.IsAcknowledged).BySubject(Method.RegisterAgent))
        {
            var heartbeats = told.Max(call => call.Number);
            if (stored.GetValueOrDefault(told.Key) is not { } agent)
            {
                yield return Lost($"agent {told.Key} was registered, and is not there");
            }
            else if (agent.TotalHeartbeats < heartbeats)
            {
                yield return Lost($"agent {told.Key} told {heartbeats} heartbeats, and has {agent.TotalHeartbeats}");
            }
        }
    }

    private static Violation Lost(string sentence) => new(Promise.AcknowledgedWriteLost, sentence);
}
