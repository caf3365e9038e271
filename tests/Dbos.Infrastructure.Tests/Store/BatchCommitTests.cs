using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;

namespace Dbos.Infrastructure.Tests.Store;

/// <summary>Commits of several records in one go.</summary>
public abstract class BatchCommitTests(IEngine engine) : StoreTests(engine)
{
    private static readonly Mark AnyMark = new("mark:a", Bytes("first"), TimeSpan.FromMinutes(1));
    private static readonly Lane Lane = new("lane", "l", ["turns"]);

    [Fact]
    public async Task All_land_with_all_their_parts()
    {
        var effect = await Dbos.EffectOf(() => Commit(Whole("a"), Whole("b")));

        effect.Should().Be(
            """
            + count done 2, lately 2
            + events told a,"timestamp":<now>,"timestamp_ms":<now>}
            + events told b,"timestamp":<now>,"timestamp_ms":<now>}
            + index index a = 1
            + index index b = 1
            + index lane a = 0 at 7
            + index lane b = 0 at 7
            + index turns 0l = 0 at 7
            + record a version 1 deliveries 0 v1
            + record b version 1 deliveries 0 v1
            """);
    }

    [Fact]
    public async Task Each_is_all_or_nothing_by_itself_and_the_outcomes_are_in_order()
    {
        await Commit(Over("a", 0) with { Mark = AnyMark }, Over("b", 0), Over("c", 0));
        await Commit(Over("b", 1));

        IReadOnlyList<CommitOutcome> outcomes = [];
        var effect = await Dbos.EffectOf(async () => outcomes = await Commit(
            Whole("new"), Whole("b", version: 1), Whole("a", version: 1) with { Mark = AnyMark }, Whole("unknown", version: 5), Over("c", 1)));

        outcomes.Select(Told).Should().Equal("done", "conflict with 2", "marked first", "conflict with nothing", "done");
        effect.Should().Be(
            """
            + count done 1, lately 1
            + events told new,"timestamp":<now>,"timestamp_ms":<now>}
            + index index new = 1
            + index lane new = 0 at 7
            + index turns 0l = 0 at 7
            - record c version 1 deliveries 0 v1
            + record c version 2 deliveries 0 v2
            + record new version 1 deliveries 0 v1
            """);
    }

    [Fact]
    public async Task A_record_may_come_twice_and_the_second_sees_what_the_first_did()
    {
        var outcomes = await Commit(Over("a", 0), Over("a", 0), Over("a", 1), Over("a", 5));

        outcomes.Select(Told).Should().Equal("done", "conflict with 1", "done", "conflict with 2");
        (await Dbos.Lines()).Where(line => line.StartsWith("record", StringComparison.Ordinal)).Should().Equal("record a version 2 deliveries 0 v2");
    }

    [Fact]
    public async Task A_mark_that_one_sets_stops_the_next()
    {
        var outcomes = await Commit(Over("a", 0) with { Mark = AnyMark }, Over("b", 0) with { Mark = AnyMark });

        outcomes.Select(Told).Should().Equal("done", "marked first");
        (await Port.Find(new StoreKey(0, "b"), None)).Should().BeNull();
    }

    [Fact]
    public async Task A_thousand_land_in_one_go()
    {
        var outcomes = await Commit([.. Enumerable.Range(0, 1_000).Select(number => Whole($"r{number}"))]);

        outcomes.Should().HaveCount(1_000).And.AllBeOfType<CommitOutcome.Done>();
        (await Port.CountEntries(new StoreKey(0, Lane.Index), None)).Should().Be(1_000);
        (await Port.Counts(0, bucket: null, None)).Should().Equal(new Dictionary<string, long> { ["done"] = 1_000 });
    }

    [Fact]
    public async Task Of_parallel_batches_over_the_same_records_each_record_is_won_once()
    {
        const int Writers = 8;
        const int Records = 50;
        var beside = await OpenBeside(Dbos);
        var names = Enumerable.Range(0, Records).Select(number => $"r{number}").ToArray();

        var outcomes = await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(() =>
            (writer % 2 == 0 ? Dbos : beside).Port.Commit([.. names.Select(name => Whole(name))], None))));

        foreach (var ofRecord in Enumerable.Range(0, Records).Select(i => outcomes.Select(some => some[i])))
        {
            ofRecord.Select(Told).Order(StringComparer.Ordinal).Should().Equal(Enumerable.Repeat("conflict with 1", Writers - 1).Append("done"));
        }

        (await Dbos.History()).Should().HaveCount(Records);
    }

    private static Commit Over(string record, long version) => new(0, record, version, Bytes($"v{version + 1}"));

    private static Commit Whole(string record, long version = 0) => Over(record, version) with
    {
        Indexes = [new("index", record, 1)],
        Lanes = [new(Lane, 0, record, 7)],
        Events = [Bytes($"told {record}")],
        Counts = ["done"],
    };

    private static string Told(CommitOutcome outcome) => outcome switch
    {
        CommitOutcome.Done => "done",
        CommitOutcome.Marked marked => $"marked {Text(marked.Value)}",
        CommitOutcome.Conflict { Found: { } found } => $"conflict with {found.Version}",
        _ => "conflict with nothing",
    };

    private Task<IReadOnlyList<CommitOutcome>> Commit(params Commit[] commits) => Port.Commit(commits, None);
}

public sealed class BatchCommitOnRedis(RedisEngine engine) : BatchCommitTests(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class BatchCommitOnCluster(ClusterEngine engine) : BatchCommitTests(engine);

public sealed class BatchCommitOnSqlite(SqliteEngine engine) : BatchCommitTests(engine), IClassFixture<SqliteEngine>;
