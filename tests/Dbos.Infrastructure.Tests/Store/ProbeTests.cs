using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;

namespace Dbos.Infrastructure.Tests.Store;

public abstract class ProbeTests(IEngine engine) : StoreTests(engine)
{
    private static readonly Lane Lane = new("lane", "a:x", ["turns"]);

    private int LastPartition => Port.Partitions - 1;

    [Fact]
    public async Task The_earliest_of_each_index_of_deadlines_over_all_partitions_is_told()
    {
        await Commit(0, indexes: [new("one", "a", 50), new("one", "b", 40), new("two", "a", 1_700_000_000_000)]);
        await Commit(LastPartition, indexes: [new("one", "c", 30), new("two", "b", 1_700_000_000_001)]);

        var pulse = await Port.Probe(new Watch(["one", "none", "two"], "turns", 0, 0), None);

        pulse.Earliest.Should().Equal(30, null, 1_700_000_000_000);
        pulse.Turns.Should().BeEmpty();
    }

    [Fact]
    public async Task Turns_of_every_band_that_come_in_the_time_asked_for_are_told()
    {
        await Commit(0, lanes: [new(Lane, 0, "m1", 1_000), new(Lane, 4, "m2", 1_001), new(Lane, 9, "m3", 3_001)]);
        await Commit(LastPartition, lanes: [new(Lane with { Index = "lane 2", Name = "b:x" }, 9, "m4", 3_000)]);

        (await Port.Probe(new Watch([], "turns", From: 1_000, UpTo: 3_000), None)).Turns
            .Should().BeEquivalentTo([new Turn("a:x", 1_001), new Turn("b:x", 3_000)]);
        (await Port.Probe(new Watch([], "turns", From: 3_000, UpTo: 9_000), None)).Turns.Should().Equal(new Turn("a:x", 3_001));
        (await Port.Probe(new Watch([], "other turns", From: 0, UpTo: 9_000), None)).Turns.Should().BeEmpty();
    }

    private async Task Commit(int partition, IndexChange[]? indexes = null, LaneChange[]? lanes = null) => (await Port.Commit(
        new Commit(partition, $"record {Guid.NewGuid()}", 0, Bytes("v")) { Indexes = indexes ?? [], Lanes = lanes ?? [] }, None))
        .Should().BeOfType<CommitOutcome.Done>();
}

public sealed class ProbeOnRedis(RedisEngine engine) : ProbeTests(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class ProbeOnCluster(ClusterEngine engine) : ProbeTests(engine);

public sealed class ProbeOnSqlite(SqliteEngine engine) : ProbeTests(engine), IClassFixture<SqliteEngine>;
