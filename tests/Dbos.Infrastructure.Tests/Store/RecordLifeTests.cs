using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;

namespace Dbos.Infrastructure.Tests.Store;

/// <summary>How a record's lease changes, and how the record goes.</summary>
public abstract class RecordLifeTests(IEngine engine) : StoreTests(engine)
{
    private static readonly StoreKey Record = new(0, "record");
    private static readonly DateTimeOffset Sometime = DateTimeOffset.FromUnixTimeMilliseconds(1_500_000_000_123);

    [Fact]
    public async Task A_lease_lasts_until_another_commit_changes_it()
    {
        await Commit(Over(0));
        await Commit(Over(1) with { Lease = LeaseChange.Until(Sometime) });
        (await LeasedUntil()).Should().Be(Sometime);

        await Commit(Over(2));
        (await LeasedUntil()).Should().Be(Sometime, "a commit that says nothing of the lease leaves it");
        await Commit(Over(3) with { Lease = LeaseChange.Until(Sometime.AddHours(1)) });
        (await LeasedUntil()).Should().Be(Sometime.AddHours(1));

        await Commit(Over(4) with { Lease = LeaseChange.Ends });
        (await LeasedUntil()).Should().BeNull();
    }

    [Fact]
    public async Task A_record_may_be_leased_from_its_first_commit_on()
    {
        await Commit(Over(0) with { Lease = LeaseChange.Until(Sometime) });

        (await LeasedUntil()).Should().Be(Sometime);
    }

    [Fact]
    public async Task A_conflict_tells_the_lease()
    {
        await Commit(Over(0));
        await Commit(Over(1) with { Lease = LeaseChange.Until(Sometime) });

        var outcome = await Port.Commit(Over(1) with { Lease = LeaseChange.Ends }, None);

        outcome.Should().BeOfType<CommitOutcome.Conflict>().Which.Found!.LeasedUntil.Should().Be(Sometime);
        (await LeasedUntil()).Should().Be(Sometime);
    }

    [Fact]
    public async Task A_bare_record_is_all_but_its_payload()
    {
        await Commit(Over(0) with { Payload = Bytes("raw"), Lease = LeaseChange.Until(Sometime) });

        var (whole, bare) = (await Port.Find(Record, None), await Port.FindBare(Record, None));

        Text(whole!.Payload).Should().Be("raw");
        bare!.Payload.Length.Should().Be(0);
        Text(bare.Document).Should().Be(Text(whole.Document));
        (bare.Version, bare.Deliveries, bare.LeasedUntil).Should().Be((whole.Version, whole.Deliveries, whole.LeasedUntil));
        (await Port.FindBare(Record with { Name = "nobody" }, None)).Should().BeNull();
    }

    [Fact]
    public async Task A_record_that_is_deleted_is_gone_and_the_rest_of_the_commit_is_done()
    {
        await Commit(Over(0) with { Payload = Bytes("raw"), Indexes = [new("index", "x", 1)] });

        var effect = await Dbos.EffectOf(() => Commit(Over(1) with
        {
            Deletes = true,
            Indexes = [new("index", "x", null)],
            Events = [Bytes("deleted")],
            Counts = ["deleted"],
            Mark = new Mark("mark:a", Bytes("done"), TimeSpan.FromMinutes(1)),
        }));

        effect.Should().Be(
            """
            + count deleted 1, lately 1
            + events deleted,"timestamp":<now>,"timestamp_ms":<now>}
            - index index x = 1
            + mark:a expires <now+60> done
            - record record version 1 deliveries 0 v1 payload raw
            """);
        (await Port.Find(Record, None)).Should().BeNull();
    }

    [Fact]
    public async Task A_record_at_another_version_is_not_deleted()
    {
        await Commit(Over(0));
        await Commit(Over(1));

        CommitOutcome? outcome = null;
        var effect = await Dbos.EffectOf(async () => outcome = await Port.Commit(
            Over(1) with { Deletes = true, Events = [Bytes("never")], Counts = ["never"] }, None));

        outcome.Should().BeOfType<CommitOutcome.Conflict>().Which.Found!.Version.Should().Be(2);
        effect.Should().BeEmpty();
    }

    [Fact]
    public async Task What_was_deleted_may_be_stored_anew_with_nothing_of_what_it_was()
    {
        await Commit(Over(0) with { Payload = Bytes("raw") });
        await Commit(Over(1) with { Lease = LeaseChange.Until(Sometime) });
        await Commit(Over(2) with { Deletes = true });

        await Commit(Over(0));

        (await Dbos.Lines()).Where(line => line.StartsWith("record", StringComparison.Ordinal)).Should().Equal("record record version 1 deliveries 0 v1");
    }

    private static Commit Over(long version) => new(0, Record.Name, version, Bytes($"v{version + 1}"));

    private async Task<DateTimeOffset?> LeasedUntil() => (await Port.Find(Record, None))!.LeasedUntil;

    private async Task Commit(Commit commit) => (await Port.Commit(commit, None)).Should().BeOfType<CommitOutcome.Done>();
}

public sealed class RecordLifeOnRedis(RedisEngine engine) : RecordLifeTests(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class RecordLifeOnCluster(ClusterEngine engine) : RecordLifeTests(engine);

public sealed class RecordLifeOnSqlite(SqliteEngine engine) : RecordLifeTests(engine), IClassFixture<SqliteEngine>;
