using Dbos.Chaos.Checking;
using Dbos.Chaos.Clients;
using Dbos.Chaos.Faults;
using Dbos.Chaos.Histories;

namespace Dbos.Chaos;

/// <summary>Sixteen clients write to two DBOS while faults are made; then everything is held against the history.</summary>
internal static class ChaosRun
{
    private const int Replicas = 2;

    public static async Task<ChaosReport> Of(ChaosPlan plan)
    {
        using var folder = new TemporaryFolder();
        await using var backing = await Backing.Start(plan.Single);
        var replicas = await Task.WhenAll(Enumerable.Range(0, Replicas).Select(number => Replica.Start(backing.Address, plan.Durability, folder, number)));
        try
        {
            var history = new History();
            using var crowd = new Crowd([.. replicas.Select(replica => replica.Proxy.Address)], history, plan.Seed);
            var trouble = new Trouble(backing, replicas, history, plan.Seed);
            using var end = new CancellationTokenSource(plan.Length);

            // The clients act until the last fault is over, and then until all that they asked is answered.
            using var quiet = new CancellationTokenSource();
            var acting = crowd.Run(quiet.Token);
            await Task.WhenAny(trouble.Run(end.Token), acting).Unwrap();
            await quiet.CancelAsync();
            await acting;
            if (plan.HistoryFile is { } file)
            {
                history.Write(file, trouble.Made);
            }

            var final = await FinalState.Read(replicas.Select(replica => replica.Server.Address), backing, history.Calls);
            return new ChaosReport(plan, history.Calls, trouble.Made, final, Checker.Check(history.Calls, final));
        }
        finally
        {
            foreach (var replica in replicas)
            {
                await replica.DisposeAsync();
            }
        }
    }
}
