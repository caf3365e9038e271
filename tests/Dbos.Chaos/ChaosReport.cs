using System.Globalization;
using Dbos.Chaos.Checking;
using Dbos.Chaos.Faults;
using Dbos.Chaos.Histories;

namespace Dbos.Chaos;

/// <summary>What a run did, and which promises were broken.</summary>
internal sealed record ChaosReport(
    ChaosPlan Plan, IReadOnlyList<Call> Calls, IReadOnlyList<MadeFault> Faults, FinalState Final, IReadOnlyList<Violation> Violations)
{
    private const int MostTold = 10;

    /// <summary>The longest time in which no call of any client was acknowledged.</summary>
    public TimeSpan LongestSilence
    {
        get
        {
            TimeSpan[] ends = [.. Calls.Where(call => call.IsAcknowledged).Select(call => call.Ended).Order()];
            return ends.Zip(ends.Skip(1), (earlier, later) => later - earlier).DefaultIfEmpty().Max();
        }
    }

    public override string ToString() => string.Join(
        Environment.NewLine,
        [
            Line($"{DateTime.UtcNow:yyyy-MM-dd}: two DBOS on {(Plan.Single ? "one Redis" : "a Redis Cluster of 3 masters and 3 replicas")}, DURABILITY={Plan.Durability}, 16 clients, {Plan.Length.TotalSeconds:F0} s of faults, seed {Plan.Seed}"),
            Line($"calls: {Calls.DistinctBy(call => call.Id).Count():N0}; with each item of a batch and each delivery: {Told(Calls.CountBy(call => call.Outcome))}"),
            Line($"refused: {Told(Calls.Where(call => call.Outcome == Outcome.Refused).CountBy(call => call.Code))}"),
            Line($"unknown: {Told(Calls.Where(call => call.Outcome == Outcome.Unknown).CountBy(call => call.Code))}"),
            Line($"faults: {Faults.Count}; {Told(Faults.CountBy(fault => fault.Fault).OrderBy(count => count.Key))}"),
            Line($"masters failed over: {Faults.Count(fault => fault.FailedOver)}"),
            Line($"longest time without an acknowledged call: {LongestSilence.TotalSeconds:F1} s"),
            Line($"kept: {Final.Results.Count:N0} results, {Final.States.Count:N0} states, {Final.Tasks.Count:N0} tasks, {Final.Events.Count:N0} events"),
            .. Enum.GetValues<Promise>().SelectMany(Told),
        ]);

    private IEnumerable<string> Told(Promise promise)
    {
        var broken = Violations.Where(violation => violation.Promise == promise).ToArray();
        yield return Line($"{Words(promise)}: {broken.Length:N0}");
        foreach (var violation in broken.Take(MostTold))
        {
            yield return $"  {violation.Sentence}";
        }
    }

    private static string Words(Promise promise) => promise switch
    {
        Promise.AcknowledgedWriteLost => "acknowledged writes lost",
        Promise.ResultStoredTwice => "results stored twice",
        Promise.TaskHeldTwice => "tasks held by two at one time",
        Promise.VersionSkippedOrRepeated => "versions skipped or repeated",
        Promise.EventMissing => "events missing for an acknowledged command",
        Promise.AcknowledgementTorn => "acknowledgements of which only a part was done",
        Promise.StaleRead => "reads older than what was known before",
        Promise.AnsweredWithoutCause => "replays and refusals that nobody had given cause for",
        Promise.StoreInconsistent => "inconsistencies that DBOS finds itself",
        Promise.Failed => "calls that DBOS failed at",
        _ => throw new ArgumentOutOfRangeException(nameof(promise), promise, "unknown"),
    };

    private static string Told<T>(IEnumerable<KeyValuePair<T, int>> counts) =>
        string.Join(", ", counts.Select(count => Line($"{count.Value:N0} {count.Key}")));

    private static string Line(FormattableString line) => line.ToString(CultureInfo.InvariantCulture);
}
