using System.Diagnostics;
using Dbos.Soak.Takers;

namespace Dbos.Soak;

/// <summary>Tasks are scheduled and taken while takers and replicas are killed; then everything is counted.</summary>
public static class SoakRun
{
    public static async Task<SoakReport> Of(SoakPlan plan)
    {
        using var data = new TemporaryFolder();
        await using var redis = plan.Embedded ? null : await RedisServer.Start();
        await using var replicas = await Replicas.Start(plan.Replicas, redis?.Address ?? "embedded", data.Path);
        await using var takers = new TakerPool(plan, replicas.Addresses);
        using var caller = new AnyReplica(replicas.Addresses);

        var since = Stopwatch.StartNew();
        takers.Start();
        await using (var harm = new Harm(takers, replicas, plan))
        {
            await Scheduler.Schedule(caller, plan.Tasks, plan.DueWithin);
            await UntilAllHaveEnded(caller, plan);
        }

        since.Stop();
        await takers.Stop();
        var ledger = await Ledger.Read(caller, takers.Journals);
        return new SoakReport(plan, since.Elapsed, takers.Kills, replicas.Kills, ledger, [.. takers.Faults, .. ledger.Faults(plan.Tasks)]);
    }

    /// <summary>Or until it takes too long: the count tells then what is left.</summary>
    private static async Task UntilAllHaveEnded(AnyReplica caller, SoakPlan plan)
    {
        var since = Stopwatch.StartNew();
        while (since.Elapsed < plan.Patience)
        {
            var stats = await caller.Ask((client, options) => client.GetQueueStatsAsync(new GetQueueStatsRequest(), options));
            if (stats.Pending + stats.Inflight == 0)
            {
                return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200));
        }
    }

    /// <summary>The killing, for as long as this lives.</summary>
    private sealed class Harm : IAsyncDisposable
    {
        private readonly CancellationTokenSource stop = new();
        private readonly Task done;

        public Harm(TakerPool takers, Replicas replicas, SoakPlan plan) => done = Task.WhenAll(
            takers.KillAtRandom(stop.Token),
            replicas.KillAtRandom(plan.BetweenReplicaKills, stop.Token));

        public async ValueTask DisposeAsync()
        {
            await stop.CancelAsync();
            await done;
            stop.Dispose();
        }
    }
}
