using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Testing;

namespace Dbos.Infrastructure.Tests.Store;

/// <summary>What the store tells of its own accord, and what it need not tell.</summary>
public abstract class WatcherTests : StoreTests
{
    private const string Last = "last";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly Lane Lane = new("lane", "a:x", ["turns"]);
    private static readonly Lane LastLane = new("last lane", Last, ["turns"]);

    private readonly ToldWatcher watcher = new();
    private int records;

    protected WatcherTests(IEngine engine)
        : base(engine) => Options = new OpenOptions { Watcher = watcher };

    protected override OpenOptions Options { get; }

    private long Now => Dbos.Get<TimeProvider>().GetUtcNow().ToUnixTimeMilliseconds();

    private long Soon => Now + 1_000;

    private long MuchLater => Now + 3_600_000;

    [Fact]
    public async Task A_lane_that_gets_something_due_is_told_once_until_it_has_nothing_due()
    {
        await Enter("first", due: 500);
        await Enter("later", due: 900);
        await Enter("earlier", due: 100);
        await Leave("earlier");
        await Leave("first");
        await Leave("later");
        await Enter("again", due: 700);

        (await Told()).Should().Equal("a:x due 500", "a:x due 700");
    }

    [Fact]
    public async Task A_lane_whose_turn_comes_soon_is_told_and_one_whose_turn_is_far_off_is_not()
    {
        await Enter("far off", MuchLater);
        var soon = Soon;
        await Enter("soon", soon);
        await Enter("after it", soon + 1);
        await Enter("now", due: 100);

        (await Told()).Should().Equal($"a:x due {soon}", "a:x due 100");
    }

    [Fact]
    public async Task Each_band_of_a_lane_is_told_by_itself()
    {
        await Enter("high", due: 100, band: 0);
        await Enter("low", due: 200, band: 9);

        (await Told()).Should().Equal("a:x due 100", "a:x due 200");
    }

    [Fact]
    public async Task When_the_first_leaves_what_comes_soon_after_it_is_told()
    {
        await Enter("first", due: 100);
        var soon = Soon;
        await Enter("second", soon);
        await Enter("far off", MuchLater);
        await Leave("first");
        await Leave("second");

        (await Told()).Should().Equal("a:x due 100", $"a:x due {soon}");
    }

    [Fact]
    public async Task A_take_tells_what_comes_soon_and_not_what_was_due_already()
    {
        await Enter("first", due: 100);
        await Enter("second", due: 200);
        var soon = Soon;
        await Enter("soon", soon);
        await Take("first");
        await Take("second");

        (await Told()).Should().Equal("a:x due 100", $"a:x due {soon}");
    }

    [Fact]
    public async Task The_end_of_a_lease_is_told_to_the_taker_that_asked_for_it_and_to_no_other()
    {
        var other = new ToldWatcher();
        var beside = await OpenBeside(Dbos, other);
        await Enter("asked", due: 100);
        await Enter("did not ask", due: 100);
        await Enter("deleted", due: 100);
        await Take("asked", tellsEnd: true);
        await Take("did not ask");
        await Take("deleted", tellsEnd: true);

        await Ending(beside, "asked", LeaseChange.Until(DateTimeOffset.UtcNow.AddMinutes(1)));
        await Ending(beside, "did not ask", LeaseChange.Ends);
        await Ending(beside, "asked", LeaseChange.Ends, version: 3);
        await Ending(beside, "deleted", LeaseChange.Ends, deletes: true);
        await Ending(beside, "asked", LeaseChange.Ends, version: 4);

        await Eventually.True(() => watcher.Told.Contains("deleted 1 ended"), Patience, "the end is told");
        (await Told()).Where(told => told.EndsWith("ended", StringComparison.Ordinal)).Should().Equal("asked 1 ended", "deleted 1 ended");
        other.Told.Should().NotContain(told => told.EndsWith("ended", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_commit_that_is_refused_tells_nothing()
    {
        await Enter("there", MuchLater);
        await Port.Commit(new Commit(0, "there", 0, Bytes("v")) { Lanes = [new(Lane, 0, "there", 100)] }, None);

        (await Told()).Should().BeEmpty();
    }

    [Fact]
    public async Task A_caller_that_stops_listening_does_not_keep_the_store_from_telling()
    {
        using var caller = new CancellationTokenSource();
        var commit = Port.Commit(new Commit(0, "record", 0, Bytes("v")) { Lanes = [new(Lane, 0, "first", 100)] }, caller.Token);
        await caller.CancelAsync();

        await Eventually.True(() => watcher.Told.Contains("a:x due 100"), Patience, "the turn is told");
        await commit.ContinueWith(_ => { }, None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    protected virtual IEnumerable<string> OfOneSubscription(IEnumerable<string> told) => told;

    /// <summary>All that was told, up to a last turn that is told for certain.</summary>
    private async Task<IEnumerable<string>> Told()
    {
        await Change(new LaneChange(LastLane, 0, $"last {records}", 1));
        await Eventually.True(() => watcher.Told.Any(IsLast), Patience, "the last turn is told");
        return OfOneSubscription(watcher.Told.TakeWhile(told => !IsLast(told)));

        static bool IsLast(string told) => told.StartsWith(Last, StringComparison.Ordinal);
    }

    private Task Enter(string member, long due, int band = 0) => Commit(
        new Commit(0, member, 0, Bytes("v")) { Lanes = [new(Lane, band, member, due)] });

    private Task Leave(string member) => Change(new LaneChange(Lane, 0, member, null));

    private Task Change(LaneChange change) => Commit(new Commit(0, $"change {records++}", 0, Bytes("v")) { Lanes = [change] });

    private async Task Take(string member, bool tellsEnd = false) => (await Port.Take(
        new Take(
            0,
            [new Candidate(member, member, new TakeSource(Lane, 0, "owner", [], []))],
            Now,
            ServedAt: Now,
            TimeSpan.FromMinutes(5),
            Limit: 1,
            ByteBudget: 1_000,
            AtLeastOne: false,
            new TakeEvent(Bytes("{"), Bytes(","), Bytes("}")),
            Count: "taken",
            tellsEnd),
        None)).Should().ContainSingle();

    private static async Task Ending(OpenStore by, string record, LeaseChange lease, long version = 2, bool deletes = false) =>
        (await by.Port.Commit(new Commit(0, record, version, Bytes("v")) { Lease = lease, Deletes = deletes }, None))
            .Should().BeOfType<CommitOutcome.Done>();

    private async Task Commit(Commit commit) => (await Port.Commit(commit, None)).Should().BeOfType<CommitOutcome.Done>();
}

public sealed class WatcherOnRedis(RedisEngine engine) : WatcherTests(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class WatcherOnCluster(ClusterEngine engine) : WatcherTests(engine)
{
    /// <summary>
    /// While its connections to the nodes come into being, the client library may subscribe on two of them, and both tell. What
    /// these tests have told are different things.
    /// </summary>
    protected override IEnumerable<string> OfOneSubscription(IEnumerable<string> told) => told.Distinct();
}

public sealed class WatcherOnSqlite(SqliteEngine engine) : WatcherTests(engine), IClassFixture<SqliteEngine>;
