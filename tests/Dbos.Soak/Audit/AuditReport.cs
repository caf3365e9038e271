using static Dbos.Soak.Figures;

namespace Dbos.Soak.Audit;

/// <summary>How an audit went, and how a caller fared beside it.</summary>
public sealed record AuditReport
{
    /// <summary>No call waits for more than a slice or two.</summary>
    private static readonly TimeSpan LongestCall = TimeSpan.FromSeconds(1);

    private readonly string text;

    /// <param name="looked">Records and index entries.</param>
    /// <param name="alone">How long each call took before the audit, shortest first.</param>
    /// <param name="beside">Likewise during it.</param>
    internal AuditReport(int tasks, long looked, IReadOnlyList<string> found, bool isDone, TimeSpan took, TimeSpan[] alone, TimeSpan[] beside)
    {
        text = string.Join(
            Environment.NewLine,
            Line($"{tasks:N0} tasks: {looked:N0} records and index entries looked at in {took.TotalSeconds:F1} s, {found.Count} inconsistencies"),
            Line($"calls without the audit: {Told(alone)}"),
            Line($"calls during the audit:  {Told(beside)}"));
        Faults = [.. Wrong()];

        IEnumerable<string> Wrong()
        {
            if (!isDone)
            {
                yield return "the audit did not come to its end";
            }

            if (looked < tasks)
            {
                yield return "not every task was looked at";
            }

            foreach (var inconsistency in found)
            {
                yield return inconsistency;
            }

            if (beside.Length == 0 || beside[^1] > LongestCall)
            {
                yield return "a call was held up by the audit";
            }
        }
    }

    public IReadOnlyList<string> Faults { get; }

    public override string ToString() =>
        string.Join(Environment.NewLine, [text, .. Faults.Select(fault => $"WRONG: {fault}")]);

    private static string Told(TimeSpan[] sorted) => sorted.Length == 0
        ? "none"
        : Line($"{sorted.Length:N0}, p50 {Ms(sorted, 0.5):F1} ms, p99 {Ms(sorted, 0.99):F1} ms, longest {Ms(sorted, 1):F0} ms");
}
