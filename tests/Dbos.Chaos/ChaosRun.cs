using Dbos.Chaos.Checking;
using Dbos.Chaos.Clients;
using Dbos.Chaos.Faults;
using Dbos.Chaos.Histories;

namespace Dbos.Chaos;

/// <summary>Sixteen clients write to two DBOS while faults are made; then everything is held against the history.</summary>
internal static class ChaosRun
{
    public static async Task<ChaosReport> Of(ChaosPlan plan)
    {
        using var folder = new TemporaryFolder();
        await using var backing = await Backing.Start(plan.Single);
        await using var first = await Replica.Start(backing.Address, plan.Durability, Path.Combine(folder.Path, "first-clock"));
        await using var second = await Replica.Start(backing.Address, plan.Durability, Path.Combine(folder.Path, "second-clock"));
        Replica[] replicas = [first, second];

        var history = new History();
        var trouble = new Trouble(backing, replicas, history, plan.Seed);
        try
        {
            using var crowd = new Crowd([.. replicas.Select(replica => replica.Proxy.Address)], history, plan.Seed);
            await Act(crowd, trouble, plan.Length);
        }
        finally
        {
            if (plan.HistoryFile is { } file)
            {
                history.Write(file, trouble.Made);
            }
        }

        var final = await FinalState.Read(replicas.Select(replica => replica.Server.Address), backing);
        return new ChaosReport(plan, history.Calls, trouble.Made, final, Checker.Check(history.Calls, final));
    }

    /// <summary>The clients act until the last fault is over, and then until all that they asked is answered.</summary>
    private static async Task Act(Crowd crowd, Trouble trouble, TimeSpan length)
    {
        using var end = new CancellationTokenSource(length);
        using var quiet = new CancellationTokenSource();
        var acting = crowd.Run(quiet.Token);
        await Task.WhenAny(trouble.Run(end.Token), acting).Unwrap();
        await quiet.CancelAsync();
        await acting;
    }
}
