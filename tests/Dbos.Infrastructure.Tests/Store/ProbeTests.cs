using Dbos.Application.Tasks;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Tasks;

namespace Dbos.Infrastructure.Tests.Store;

public abstract class ProbeTests(IEngine engine) : TaskTests(engine)
{
    private const long From = Given.LongAgo * 1_000;

    private static readonly string Inflight = Names.Tasks(MeasurementTaskStatus.Inflight.Word());
    private static readonly string Cancelled = Names.Tasks(MeasurementTaskStatus.Cancelled.Word());

    private int LastPartition => Dbos.Partitions - 1;

    [Fact]
    public async Task The_earliest_of_each_kind_of_deadline_over_all_partitions_is_told()
    {
        await Dbos.SendAll(Enumerable.Range(0, 20).Select(number => Given.Task($"t{number}")));
        var taken = (await Take(limit: 10, lease: TimeSpan.FromMinutes(9))).Concat(await Take(limit: 5, lease: TimeSpan.FromMinutes(8))).ToArray();
        await Dbos.Send(Given.Heartbeat());

        var before = await Dbos.Probe(new Watch([Inflight, Cancelled, Names.AgentDeadlines], 0, 0));
        await Dbos.Send(new CancelTask(taken[0].Id, string.Empty));
        var after = await Dbos.Probe(new Watch([Inflight, Cancelled, Names.AgentDeadlines], 0, 0));

        taken.Should().HaveCount(15);
        before.Earliest.Take(2).Should().Equal(taken.Min(task => task.VisibleAt).ToUnixTimeMilliseconds(), null);
        before.Earliest[2]!.Value.Should().BeCloseTo((Now + Dbos.Policy.AgentTimeout).ToUnixTimeMilliseconds(), 30_000);
        after.Earliest[0].Should().Be(before.Earliest[0]);
        after.Earliest[1].Should().NotBeNull();
        before.Turns.Should().BeEmpty();
    }

    [Fact]
    public async Task Tasks_of_every_priority_that_become_due_in_the_time_asked_for_are_told()
    {
        await Schedule(0, due: 0, priority: 9);
        await Schedule(0, due: 1, priority: 5);
        await Schedule(LastPartition, due: 3, priority: 0, agentId: "b");
        await Schedule(LastPartition, due: 4, priority: 0);

        (await Dbos.Probe(new Watch([], From, From + 3_000))).Turns
            .Should().BeEquivalentTo([new Turn("a1:ping", From + 1_000), new Turn("b:ping", From + 3_000)]);
        (await Dbos.Probe(new Watch([], From + 3_000, From + 9_000))).Turns.Should().Equal(new Turn("a1:ping", From + 4_000));
        (await Dbos.Probe(new Watch([], From + 4_000, From + 9_000))).Turns.Should().BeEmpty();
    }

    [Fact]
    public async Task Where_a_priority_has_more_tasks_than_are_told_the_earliest_are_and_when_it_was_cut()
    {
        var watch = new Watch([], From - 1, From + 9_000) { MostOfABand = 2 };
        await Schedule(LastPartition, due: 1, priority: 0);
        await Schedule(LastPartition, due: 2, priority: 0);
        var full = await Dbos.Probe(watch);
        foreach (var due in new[] { 3, 3, 3, 4 })
        {
            await Schedule(LastPartition, due, priority: 5);
        }

        await Schedule(0, due: 0, priority: 6);
        var cut = await Dbos.Probe(watch with { From = From + 1_000 });
        var all = await Dbos.Probe(watch with { MostOfABand = 9 });

        full.CutAt.Should().Be(From + 2_000, "there may be more");
        full.Turns.Should().HaveCount(2);
        cut.CutAt.Should().Be(From + 3_000);
        cut.Turns.Select(turn => turn.Due - From).Should().BeEquivalentTo([2_000, 3_000, 3_000]);
        all.CutAt.Should().BeNull();
        all.Turns.Should().HaveCount(7);
    }

    private int scheduled;

    /// <param name="due">Seconds after <see cref="Given.LongAgo"/>.</param>
    private async Task Schedule(int partition, long due, int priority, string agentId = "a1")
    {
        string id;
        do
        {
            id = $"t{scheduled++}";
        }
        while (Partitioning.PartitionOf(id, Dbos.Partitions) != partition);

        (await Dbos.Send(Given.Task(id, Given.LongAgo + due, agentId: agentId, priority: priority))).Refusal.Should().BeNull();
    }
}

public sealed class ProbeOnRedis(RedisEngine engine) : ProbeTests(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class ProbeOnCluster(ClusterEngine engine) : ProbeTests(engine);

public sealed class ProbeOnSqlite(SqliteEngine engine) : ProbeTests(engine), IClassFixture<SqliteEngine>;
