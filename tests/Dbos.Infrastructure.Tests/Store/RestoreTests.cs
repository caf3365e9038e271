using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;

namespace Dbos.Infrastructure.Tests.Store;

public abstract class RestoreTests(IEngine engine) : StoreTests(engine)
{
    private static readonly Lane Lane = new("lane", "l", ["turns"]);
    private static readonly DateTimeOffset Until = DateTimeOffset.FromUnixTimeMilliseconds(1_500_000_000_123);

    [Fact]
    public async Task All_parts_are_as_they_were()
    {
        var effect = await Dbos.EffectOf(() => Port.Restore(
            new Restoration(0)
            {
                Records =
                [
                    new("held", Record(version: 7, "doc", "raw", deliveries: 3, Until), [new("one", "x", 1), new("two", "x", 2)], []),
                    new("waiting", Record(version: 1, "doc"), [new("one", "y", 3)], [new(Lane, Band: 2, "y", Due: 7)]),
                ],
                Marks = [new("mark:a", Bytes("first"), TimeSpan.FromMinutes(1))],
                Counts = [("done", 4), ("done", 2), ("failed", 1)],
            },
            None));

        effect.Should().Be(
            """
            + count done 6, lately 0
            + count failed 1, lately 0
            + index lane y = 2 at 7
            + index one x = 1
            + index one y = 3
            + index turns 2l = 2 at 7
            + index two x = 2
            + mark:a expires <now+60> first
            + record held version 7 deliveries 3 leased until 1500000000123 doc payload raw
            + record waiting version 1 deliveries 0 doc
            """);
    }

    [Fact]
    public async Task A_restored_record_is_committed_over_and_guarded_by_its_mark_like_any_other()
    {
        var mark = new Mark("mark:a", Bytes("first"), TimeSpan.FromMinutes(1));
        await Port.Restore(new Restoration(0) { Records = [new("record", Record(version: 7, "v7"), [], [])], Marks = [mark] }, None);

        var marked = await Port.Commit(new Commit(0, "record", 7, Bytes("v8")) { Mark = mark }, None);
        var done = await Port.Commit(new Commit(0, "record", 7, Bytes("v8")), None);

        Text(marked.Should().BeOfType<CommitOutcome.Marked>().Which.Value).Should().Be("first");
        done.Should().BeOfType<CommitOutcome.Done>();
        (await Port.Find(new StoreKey(0, "record"), None))!.Version.Should().Be(8);
    }

    [Fact]
    public async Task What_waits_in_a_lane_can_be_taken_and_its_deliveries_go_on_from_where_they_were()
    {
        await Port.Restore(
            new Restoration(0) { Records = [new("record", Record(version: 7, "doc", deliveries: 3), [], [new(Lane, Band: 0, "m", Due: 7)])] }, None);

        var take = new Take(
            0,
            [new Candidate("m", "record", new TakeSource(Lane, 0, "owner", [], ["held"]))],
            Due: 7,
            ServedAt: 7,
            TimeSpan.FromMinutes(1),
            Limit: 1,
            ByteBudget: 1_000,
            AtLeastOne: true,
            new TakeEvent(Bytes("{"), Bytes(","), Bytes("}")),
            "delivered",
            TellsEnd: false);
        var taken = (await Port.Take(take, None)).Should().ContainSingle().Subject;

        (taken.Record.Version, taken.Record.Deliveries).Should().Be((8, 4));
        (await Port.CountEntries(new StoreKey(0, "turns"), None)).Should().Be(0);
    }

    private static StoredRecord Record(long version, string document, string payload = "", long deliveries = 0, DateTimeOffset? leasedUntil = null) =>
        new(version, Bytes(document), Bytes(payload), deliveries, leasedUntil);
}

public sealed class RestoreOnRedis(RedisEngine engine) : RestoreTests(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class RestoreOnCluster(ClusterEngine engine) : RestoreTests(engine);

public sealed class RestoreOnSqlite(SqliteEngine engine) : RestoreTests(engine), IClassFixture<SqliteEngine>;
