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

    [Fact]
    public async Task Where_a_band_has_more_turns_than_are_told_the_earliest_are_and_when_it_was_cut()
    {
        var watch = new Watch([], "turns", From: 0, UpTo: 9_000) { MostOfABand = 2 };
        await Commit(LastPartition, lanes: [.. Turns(band: 9, 1_000, 1_001)]);
        var full = await Port.Probe(watch, None);
        await Commit(LastPartition, lanes: [.. Turns(band: 4, 2_000, 2_000, 2_000, 3_000)]);
        await Commit(0, lanes: [.. Turns(band: 3, 500)]);
        var cut = await Port.Probe(watch with { From = 1_000 }, None);
        var all = await Port.Probe(watch with { MostOfABand = 9 }, None);

        full.CutAt.Should().Be(1_001, "there may be more");
        full.Turns.Should().HaveCount(2);
        cut.CutAt.Should().Be(2_000);
        cut.Turns.Select(turn => turn.Due).Should().BeEquivalentTo([1_001, 2_000, 2_000]);
        all.CutAt.Should().BeNull();
        all.Turns.Should().HaveCount(7);
    }

    private static IEnumerable<LaneChange> Turns(int band, params int[] dues) => dues.Select((due, i) =>
        new LaneChange(Lane with { Index = $"lane {band} {i}", Name = $"{band}-{i}:x" }, band, $"m-{band}-{i}", due));

    private async Task Commit(int partition, IndexChange[]? indexes = null, LaneChange[]? lanes = null) => (await Port.Commit(
        new Commit(partition, $"record {Guid.NewGuid()}", 0, Bytes("v")) { Indexes = indexes ?? [], Lanes = lanes ?? [] }, None))
        .Should().BeOfType<CommitOutcome.Done>();
}

public sealed class ProbeOnRedis(RedisEngine engine) : ProbeTests(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class ProbeOnCluster(ClusterEngine engine) : ProbeTests(engine);

public sealed class ProbeOnSqlite(SqliteEngine engine) : ProbeTests(engine), IClassFixture<SqliteEngine>;
