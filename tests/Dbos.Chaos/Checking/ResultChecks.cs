using Dbos.Chaos.Histories;

namespace Dbos.Chaos.Checking;

internal static class ResultChecks
{
    public static IEnumerable<Violation> Check(IReadOnlyList<Call> calls, FinalState final)
    {
        var stored = final.Results.ToLookup(Subjects.Of);
        var events = final.Events.Where(told => told.Type == LoggedEvent.ResultStored).CountBy(told => told.Subject).ToDictionary();
        foreach (var sent in calls.BySubject(Method.StoreResult))
        {
            var kept = stored[sent.Key].Select(Content.Of).ToArray();
            foreach (var lost in Lost(sent, kept))
            {
                yield return new Violation(Promise.AcknowledgedWriteLost, $"result {sent.Key} {lost}");
            }

            (string What, int Times)[] counts =
            [
                ("is listed", kept.Length),
                ("was acknowledged as new", sent.Count(call => call.IsDone)),
                ("was stored, as the event log tells", events.GetValueOrDefault(sent.Key)),
            ];
            foreach (var (what, times) in counts.Where(count => count.Times > 1))
            {
                yield return new Violation(Promise.ResultStoredTwice, $"result {sent.Key} {what} {times} times");
            }
        }
    }

    private static IEnumerable<string> Lost(IGrouping<string, Call> sent, string[] kept)
    {
        if (kept.Length == 0)
        {
            return sent.Any(call => call.IsAcknowledged) ? ["was acknowledged, and is not there"] : [];
        }

        if (sent.Any(call => call.IsDone && !kept.Contains(call.Content)))
        {
            return ["was acknowledged as new, and has other content"];
        }

        return kept.Except(sent.Select(call => call.Content)).Select(content => $"has content {content}, which nobody sent");
    }
}
