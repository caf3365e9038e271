using Dbos.Chaos.Histories;

namespace Dbos.Chaos.Checking;

/// <summary>Acknowledgements that carry a result and a state: the completion, the result, the state and their events are there, or none of them.</summary>
internal static class ReportChecks
{
    public static IEnumerable<Violation> Check(IReadOnlyList<Call> calls, FinalState final)
    {
        var tasks = final.Tasks.ToLookup(task => task.Id);
        var results = final.Results.ToLookup(result => result.Id);
        var states = final.States.ToLookup(state => state.RequestId);
        var resultEvents = EventsOf(final, LoggedEvent.ResultStored, subject => subject.Split('/')[^1]);
        var stateEvents = EventsOf(final, LoggedEvent.StateUpdated, subject => subject);
        foreach (var acks in calls.Where(call => call.IsAck && call.Content.Length > 0).GroupBy(call => call.Subject))
        {
            // A plain acknowledgement of another delivery completes the task alone.
            var isCompleted = tasks[acks.Key].Any(task => task.Status == "completed" && acks.Any(ack => ack.Number == task.LeaseToken));
            (string Part, int Count)[] parts =
            [
                ("result", results[acks.Key].Count()),
                ("event of the result", resultEvents.GetValueOrDefault(acks.Key)),
                ("state", states[acks.Key].Count(state => state.State == "completed")),
                ("event of the state", stateEvents.GetValueOrDefault(acks.Key)),
            ];
            foreach (var (part, count) in parts.Where(part => part.Count != (isCompleted ? 1 : 0)))
            {
                yield return Torn($"task {acks.Key} is {(isCompleted ? string.Empty : "not ")}completed with what was measured, and the {part} is there {count} times");
            }

            if (results[acks.Key].Any(result => acks.All(ack => ack.Content != Content.Of(result))))
            {
                yield return Torn($"task {acks.Key} has a result that no acknowledgement carried");
            }
        }
    }

    private static Dictionary<string, int> EventsOf(FinalState final, string type, Func<string, string> taskIdOf) =>
        final.Events.Where(told => told.Type == type).CountBy(told => taskIdOf(told.Subject)).ToDictionary();

    private static Violation Torn(string sentence) => new(Promise.AcknowledgementTorn, sentence);
}
