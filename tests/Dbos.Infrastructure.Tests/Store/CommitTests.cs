using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;

namespace Dbos.Infrastructure.Tests.Store;

public abstract class CommitTests(IEngine engine) : StoreTests(engine)
{
    private static readonly Mark AnyMark = new("mark:a", Bytes("first"), TimeSpan.FromMinutes(1));
    private static readonly StoreKey Record = new(0, "record");

    [Fact]
    public async Task All_parts_of_a_commit_land()
    {
        var effect = await Dbos.EffectOf(() => Commit(First with
        {
            Payload = Bytes("raw"),
            Mark = AnyMark,
            Indexes = [new("one", "x", 1), new("two", "x", 2)],
            Lanes = [new(new Lane("lane", "l", ["turns"]), Band: 2, "x", Due: 7)],
            Events = [Bytes("told 1"), Bytes("told 2")],
            Counts = ["done"],
        }));

        effect.Should().Be(
            """
            + count done 1, lately 1
            + events told 1,"timestamp":<now>,"timestamp_ms":<now>}
            + events told 2,"timestamp":<now>,"timestamp_ms":<now>}
            + index lane x = 2 at 7
            + index one x = 1
            + index turns 2l = 2 at 7
            + index two x = 2
            + mark:a expires <now+60> first
            + record record version 1 deliveries 0 v1 payload raw
            """);
    }

    [Fact]
    public async Task A_record_is_found_as_it_was_committed()
    {
        await Commit(First with { Payload = Bytes("raw") });

        var found = await Port.Find(Record, None);

        found.Should().NotBeNull();
        (found!.Version, Text(found.Document), Text(found.Payload), found.Deliveries, found.LeasedUntil).Should().Be((1, "v1", "raw", 0, null));
    }

    [Fact]
    public async Task What_was_never_stored_is_not_found()
    {
        (await Port.Find(Record, None)).Should().BeNull();
        (await Port.FindMark(Record, None)).Should().BeNull();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_commit_over_another_version_tells_what_is_stored_and_changes_nothing(long expected)
    {
        await Commit(First with { Payload = Bytes("raw") });
        await Commit(Over(1));

        CommitOutcome? outcome = null;
        var effect = await Dbos.EffectOf(async () => outcome = await Port.Commit(Everything(expected), None));

        var found = outcome.Should().BeOfType<CommitOutcome.Conflict>().Which.Found!;
        (found.Version, Text(found.Document), Text(found.Payload)).Should().Be((2, "v2", "raw"));
        effect.Should().BeEmpty();
    }

    [Fact]
    public async Task A_commit_over_a_version_of_nothing_tells_that_nothing_is_stored()
    {
        CommitOutcome? outcome = null;
        var effect = await Dbos.EffectOf(async () => outcome = await Port.Commit(Everything(expected: 1), None));

        outcome.Should().BeOfType<CommitOutcome.Conflict>().Which.Found.Should().BeNull();
        effect.Should().BeEmpty();
    }

    [Fact]
    public async Task A_mark_that_is_set_tells_its_value_and_nothing_changes()
    {
        await Commit(First with { Mark = AnyMark });

        CommitOutcome? outcome = null;
        var effect = await Dbos.EffectOf(async () => outcome = await Port.Commit(
            Everything(expected: 1) with { Mark = AnyMark with { Value = Bytes("second") } }, None));

        Text(outcome.Should().BeOfType<CommitOutcome.Marked>().Which.Value).Should().Be("first");
        effect.Should().BeEmpty();
    }

    [Fact]
    public async Task A_mark_is_told_before_a_version_that_differs()
    {
        await Commit(First with { Mark = AnyMark });

        var outcome = await Port.Commit(First with { Mark = AnyMark }, None);

        outcome.Should().BeOfType<CommitOutcome.Marked>();
    }

    [Fact]
    public async Task A_mark_is_found_while_it_lives_and_guards_no_longer_than_that()
    {
        await Commit(First with { Mark = AnyMark with { Lifetime = TimeSpan.FromSeconds(1) } });
        Text((await Port.FindMark(new StoreKey(0, AnyMark.Name), None))!.Value).Should().Be("first");

        await Gone(async () => await Port.FindMark(new StoreKey(0, AnyMark.Name), None) is null);
        await Commit(Over(1) with { Mark = AnyMark });
    }

    [Fact]
    public async Task A_mark_tells_what_is_left_of_its_lifetime()
    {
        await Commit(First with { Mark = AnyMark });

        var found = await Port.FindMark(new StoreKey(0, AnyMark.Name), None);

        found!.Lifetime.Should().BePositive().And.BeCloseTo(AnyMark.Lifetime, TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task A_payload_stays_until_another_is_given()
    {
        await Commit(First with { Payload = Bytes("raw") });
        await Commit(Over(1));
        Text((await Port.Find(Record, None))!.Payload).Should().Be("raw");

        await Commit(Over(2) with { Payload = Bytes("other") });

        Text((await Port.Find(Record, None))!.Payload).Should().Be("other");
    }

    [Fact]
    public async Task A_member_is_added_to_moved_within_and_taken_out_of_indexes()
    {
        await Commit(First with { Indexes = [new("one", "x", 1), new("one", "y", 5)] });

        var moved = await Dbos.EffectOf(() => Commit(Over(1) with { Indexes = [new("one", "x", 9), new("two", "x", 3)] }));
        var taken = await Dbos.EffectOf(() => Commit(Over(2) with { Indexes = [new("one", "x", null), new("three", "x", null)] }));

        moved.Should().Be(
            """
            - index one x = 1
            + index one x = 9
            + index two x = 3
            - record record version 1 deliveries 0 v1
            + record record version 2 deliveries 0 v2
            """);
        taken.Should().Be(
            """
            - index one x = 9
            - record record version 2 deliveries 0 v2
            + record record version 3 deliveries 0 v3
            """);
    }

    [Fact]
    public async Task Of_parallel_commits_over_one_version_exactly_one_lands()
    {
        const int Writers = 40;
        var beside = await OpenBeside(Dbos);
        await Commit(First);

        var outcomes = await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(() =>
            (writer % 2 == 0 ? Dbos : beside).Port.Commit(Over(1) with { Events = [Bytes($"writer {writer}")] }, None))));

        outcomes.OfType<CommitOutcome.Done>().Should().ContainSingle();
        outcomes.OfType<CommitOutcome.Conflict>().Should().HaveCount(Writers - 1).And.OnlyContain(conflict => conflict.Found!.Version == 2);
        (await Dbos.History()).Should().ContainSingle();
    }

    [Fact]
    public async Task A_probe_writes_for_real()
    {
        (await Dbos.EffectOf(() => Port.Probe(Given.Watch, None))).Should().Contain("+ other probe");
    }

    private static Commit First => Over(0);

    private static Commit Over(long version) => new(0, Record.Name, version, Bytes($"v{version + 1}"));

    private static Commit Everything(long expected) => Over(expected) with
    {
        Payload = Bytes("never"),
        Mark = new Mark("mark:never", Bytes("never"), TimeSpan.FromMinutes(5)),
        Indexes = [new("never", "x", 1)],
        Lanes = [new(new Lane("never", "n", ["turns"]), Band: 0, "x", Due: 1)],
        Events = [Bytes("never")],
        Counts = ["never"],
    };

    private static Task<TimeSpan> Gone(Func<Task<bool>> gone) =>
        Testing.Eventually.True(gone, TimeSpan.FromSeconds(5), "what has outlived its lifetime is gone");

    private async Task Commit(Commit commit) => (await Port.Commit(commit, None)).Should().BeOfType<CommitOutcome.Done>();
}

public sealed class CommitOnRedis(RedisEngine engine) : CommitTests(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class CommitOnCluster(ClusterEngine engine) : CommitTests(engine);

public sealed class CommitOnSqlite(SqliteEngine engine) : CommitTests(engine), IClassFixture<SqliteEngine>;
