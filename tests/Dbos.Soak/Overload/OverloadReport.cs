using Grpc.Health.V1;
using static Dbos.Soak.Figures;

namespace Dbos.Soak.Overload;

/// <summary>How DBOS bore more than it can.</summary>
public sealed record OverloadReport
{
    private const double MostMemoryGrowth = 1.5;
    private const long MemorySlack = 128L * 1024 * 1024;
    private const long MiB = 1024 * 1024;
    private static readonly TimeSpan MostP99 = TimeSpan.FromSeconds(1);

    private readonly string text;

    internal OverloadReport(double sustained, TimeSpan length, double after, int lost, Tally tally)
    {
        var accepted = tally.Accepted.Order().ToArray();
        var exhausted = tally.Exhausted.Order().ToArray();
        var sent = (accepted.Length + exhausted.Length + tally.Failed.Values.Sum()) / length.TotalSeconds;
        var half = tally.Memory.Count / 2;
        var (early, late) = (tally.Memory.Take(half).DefaultIfEmpty().Max(), tally.Memory.Skip(half).DefaultIfEmpty().Max());
        var unwell = tally.Health.Count(health => health != HealthCheckResponse.Types.ServingStatus.Serving);
        text = string.Join(
            Environment.NewLine,
            Line($"{sustained:F0} batches a second are sustained; {sent:F0} a second, {sent / sustained:F1} times as many, were sent for {length.TotalSeconds:F0} s; {after:F0} are sustained after it"),
            Line($"accepted {accepted.Length:N0} ({accepted.Length / length.TotalSeconds:F0} a second), p50 {Ms(accepted, 0.5):F0} ms, p99 {Ms(accepted, 0.99):F0} ms"),
            Line($"RESOURCE_EXHAUSTED {exhausted.Length:N0}, p99 {Ms(exhausted, 0.99):F0} ms; otherwise failed {tally.Failed.Values.Sum():N0}; not sent {tally.Unsent:N0}"),
            Line($"memory at most {early / MiB} MiB in the first half, {late / MiB} MiB in the second; health asked {tally.Health.Count} times, {unwell} times not SERVING"));
        Faults = [.. Wrong()];

        IEnumerable<string> Wrong()
        {
            if (exhausted.Length == 0)
            {
                yield return "nothing was refused: this was no overload";
            }

            if (accepted.Length < sustained * length.TotalSeconds / 4)
            {
                yield return "less than a quarter of what can be sustained was accepted";
            }

            if (Ms(accepted, 0.99) > MostP99.TotalMilliseconds)
            {
                yield return "accepted calls waited for more than a second";
            }

            if (tally.Rejected > 0 || !tally.Failed.IsEmpty)
            {
                yield return $"calls failed otherwise: {tally.Rejected} were rejected, {string.Join(", ", tally.Failed)}";
            }

            if (tally.ExhaustedWithoutDelay > 0)
            {
                yield return $"{tally.ExhaustedWithoutDelay} refusals did not say when to come again";
            }

            if (late > (early * MostMemoryGrowth) + MemorySlack)
            {
                yield return "memory grew all the time";
            }

            if (unwell > 0)
            {
                yield return "health was not SERVING though the store was well";
            }

            if (lost > 0)
            {
                yield return $"{lost} acknowledged tasks are not there";
            }
        }
    }

    public IReadOnlyList<string> Faults { get; }

    public override string ToString() =>
        string.Join(Environment.NewLine, [text, .. Faults.Select(fault => $"WRONG: {fault}")]);
}
