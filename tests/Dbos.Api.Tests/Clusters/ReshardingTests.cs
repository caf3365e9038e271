using System.Collections.Concurrent;
using Dbos.Api.Tests.Support;
using Xunit.Abstractions;

namespace Dbos.Api.Tests.Clusters;

[Collection(Undisturbed.Name)]
public sealed class ReshardingTests(TwoOnCluster dbos, SharedCluster shared, ITestOutputHelper output) : IClassFixture<TwoOnCluster>
{
    private const int WritesBetween = 60;
    private const int Takers = 2;

    private volatile bool isEnough;

    [Fact]
    public async Task No_call_fails_and_nothing_is_lost_or_doubled_while_slots_move_under_load()
    {
        var all = await shared.Cluster.SlotsOf($"{{{dbos.Settings["KEY_PREFIX"]}:*");
        all.Should().HaveCount(64, "each partition has a slot of its own");
        var slots = all.Order().Where((_, number) => number % 4 == 0).ToArray();
        var home = await Task.WhenAll(slots.Select(shared.Cluster.MasterOf));

        var load = WriteLoad.Start(dbos);
        var beating = Beat();
        var taking = dbos.Connect(Takers).Select(client => Work(client)).ToArray();
        foreach (var slot in slots)
        {
            await load.WaitUntilAcknowledged(load.Acknowledged + WritesBetween);
            await shared.Cluster.MoveSlot(slot, await shared.Cluster.NextAfter(slot));
        }

        var writes = await load.Stop();
        isEnough = true;
        var beats = await beating;
        string[] taken = [.. (await Task.WhenAll(taking)).SelectMany(some => some)];
        output.WriteLine($"{slots.Length} slots moved under {writes.Length} writes, {beats} heartbeats, {taken.Length} tasks taken and acknowledged");

        writes.Where(write => !write.Acknowledged).Should().BeEmpty("a slot that moves is waited for");
        await dbos.Client.ShouldHoldWhatItAcknowledged(writes);
        taken.Should().OnlyHaveUniqueItems().And.BeEquivalentTo(writes.Where(write => write.Kind.EventType == "task_scheduled").Select(write => write.Id));
        var totals = (await dbos.Client.GetQueueStatsAsync(new GetQueueStatsRequest())).Totals;
        new[] { totals["scheduled"], totals["delivered"], totals["completed"], totals["lease_expired"] }.Should().Equal(taken.Length, taken.Length, taken.Length, 0);

        foreach (var (slot, node) in slots.Zip(home))
        {
            await shared.Cluster.MoveSlot(slot, node);
        }
    }

    /// <summary>One agent's heartbeats, each with one more counted.</summary>
    private async Task<int> Beat()
    {
        var heartbeat = Requests.Heartbeat(Requests.NewId("agent"));
        while (!isEnough)
        {
            (await dbos.Client.RegisterAgentAsync(heartbeat)).Success.Should().BeTrue();
            heartbeat.Agent.TotalHeartbeats++;
        }

        return heartbeat.Agent.TotalHeartbeats;
    }

    /// <summary>Takes what is due and acknowledges it, until that is enough and nothing is due.</summary>
    private async Task<IReadOnlyCollection<string>> Work(DBOS.DBOSClient client)
    {
        var done = new ConcurrentBag<string>();
        while (true)
        {
            var isLast = isEnough;
            var due = await client.ListDueTasksAsync(new ListDueTasksRequest { Limit = 20 });
            due.Error.Should().BeEmpty();
            if (due.Tasks.Count == 0 && isLast)
            {
                return done;
            }

            await Task.WhenAll(due.Tasks.Select(async task =>
            {
                (await client.Ack(task)).Success.Should().BeTrue();
                done.Add(task.Id);
            }));
        }
    }
}
