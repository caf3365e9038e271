using Dbos.Soak.Takers;
using static Dbos.Soak.Figures;

namespace Dbos.Soak;

/// <summary>What a soak did, and what went wrong.</summary>
public sealed record SoakReport
{
    private const int MostFaultsTold = 20;
    private readonly IReadOnlyList<string> done;

    internal SoakReport(SoakPlan plan, TimeSpan took, int takerKills, int replicaKills, Ledger ledger, IReadOnlyList<string> faults)
    {
        Faults = faults;
        Kills = takerKills;
        done =
        [
            Line($"{plan.Tasks:N0} tasks on {(plan.Embedded ? "one DBOS with its embedded store" : "two DBOS on one Redis")}, {plan.Takers} takers, in {took.TotalSeconds:F0} s"),
            Line($"killed: {takerKills} takers, {replicaKills} DBOS"),
            Line($"deliveries: {ledger.Total("delivered"):N0}, of which {ledger.Total("completed"):N0} completed, {ledger.Total("lease_expired"):N0} expired, {ledger.Total("nacked"):N0} nacked, {ledger.Total("released"):N0} released unseen"),
            Line($"told to takers: {ledger.Written(JournalWord.Accepted):N0} acknowledgements accepted, {ledger.Written(JournalWord.AcceptedBefore):N0} accepted before, {ledger.Written(JournalWord.Extended):N0} leases extended, {ledger.Written(JournalWord.LeaseLost):N0} refused with LEASE_LOST"),
        ];
    }

    /// <summary>None: each task was completed exactly once, and none is left over.</summary>
    public IReadOnlyList<string> Faults { get; }

    /// <summary>Of takers.</summary>
    public int Kills { get; }

    public override string ToString() => string.Join(
        Environment.NewLine,
        [
            .. done,
            .. Faults.Take(MostFaultsTold).Select(fault => $"WRONG: {fault}"),
            Faults.Count == 0 ? "each task was completed exactly once, none is left over" : $"{Faults.Count} faults",
        ]);
}
