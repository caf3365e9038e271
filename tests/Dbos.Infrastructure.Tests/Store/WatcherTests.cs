using Dbos.Application.Tasks;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Tasks;
using Dbos.Testing;

namespace Dbos.Infrastructure.Tests.Store;

/// <summary>What the store tells of its own accord, and what it need not tell.</summary>
public abstract class WatcherTests : TaskTests
{
    private const string Last = "last";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly ToldWatcher watcher = new();

    /// <summary>In one partition, as several publish in no common order.</summary>
    protected WatcherTests(IEngine engine)
        : base(engine) =>
        Options = new OpenOptions { Watcher = watcher, Settings = settings => settings with { Partitions = 1 } };

    protected override OpenOptions Options { get; }

    private long Soon => Now.ToUnixTimeSeconds() + 2;

    private long MuchLater => Now.ToUnixTimeSeconds() + 3_600;

    [Fact]
    public async Task A_queue_that_has_nothing_due_any_more_is_told_again_when_it_has()
    {
        await Schedule("first", 500);
        await Schedule("later", 900);
        await Cancel("first");
        await Cancel("later");
        await Schedule("again", 700);

        (await Told()).Should().Equal("a1:ping due 500000", "a1:ping due 700000");
    }

    [Fact]
    public async Task A_queue_whose_turn_comes_soon_is_told_and_one_whose_turn_is_far_off_is_not()
    {
        await Schedule("far off", MuchLater);
        var soon = Soon;
        await Schedule("soon", soon);
        await Schedule("after it", soon + 1);
        await Schedule("now", 100);

        (await Told()).Should().Equal($"a1:ping due {soon}000", "a1:ping due 100000");
    }

    [Fact]
    public async Task Each_priority_of_a_queue_is_told_by_itself()
    {
        await Schedule("high", 100, priority: 9);
        await Schedule("low", 200);

        (await Told()).Should().Equal("a1:ping due 100000", "a1:ping due 200000");
    }

    [Fact]
    public async Task When_the_first_leaves_what_comes_soon_after_it_is_told()
    {
        await Schedule("first", 100);
        var soon = Soon;
        await Schedule("second", soon);
        await Schedule("far off", MuchLater);
        await Cancel("first");
        await Cancel("second");

        (await Told()).Should().Equal("a1:ping due 100000", $"a1:ping due {soon}000");
    }

    [Fact]
    public async Task A_take_tells_what_comes_soon_and_not_what_was_due_already()
    {
        await Schedule("first", 100);
        await Schedule("second", 200);
        var soon = Soon;
        await Schedule("soon", soon);
        (await TakeOne()).Id.Should().Be("first");
        (await TakeOne()).Id.Should().Be("second");

        (await Told()).Should().Equal("a1:ping due 100000", $"a1:ping due {soon}000");
    }

    [Fact]
    public async Task The_end_of_a_delivery_is_told_to_the_taker_that_asked_for_it_and_to_no_other()
    {
        var other = new ToldWatcher();
        var beside = await OpenBeside(Dbos, other);
        var tasks = beside.Get<ITaskRepository>();
        var asked = await TakeOf("asked", reportsEnds: true);
        var quiet = await TakeOf("did not ask", reportsEnds: false);
        var nacked = await TakeOf("nacked", reportsEnds: true);

        await tasks.ExtendLease(new("asked", asked, TimeSpan.FromMinutes(9), Context), None);
        await beside.Send(new AckTask("did not ask", quiet));
        await beside.Send(new AckTask("asked", asked));
        await beside.Send(new AckTask("asked", asked));
        await beside.Send(Given.Nack(delaySeconds: 600, token: nacked, id: "nacked"));

        await Eventually.True(() => watcher.Told.Contains($"nacked {nacked} ended"), Patience, "the end is told");
        (await Told()).Where(IsEnd).Should().Equal($"asked {asked} ended", $"nacked {nacked} ended");
        other.Told.Where(IsEnd).Should().BeEmpty();

        static bool IsEnd(string told) => told.EndsWith("ended", StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_stored_already_tells_nothing()
    {
        await Schedule("there", MuchLater);
        (await Dbos.Send(Given.Task("there", 100))).Value.Duplicate.Should().BeTrue();

        (await Told()).Should().BeEmpty();
    }

    [Fact]
    public async Task A_caller_that_stops_listening_does_not_keep_the_store_from_telling()
    {
        using var caller = new CancellationTokenSource();
        var task = Domain.Tasks.MeasurementTask.Schedule(null, new(
            "first", "a1", "ping", default, 100, 100, default, DateTimeOffset.FromUnixTimeSeconds(100), new(1, 1), LeaseToken: 0)).Next;
        var schedule = Tasks.Schedule([new Scheduling(task, IsTimeGiven: true, Context)], caller.Token);
        await caller.CancelAsync();

        await Eventually.True(() => watcher.Told.Contains("a1:ping due 100000"), Patience, "the turn is told");
        await schedule.ContinueWith(_ => { }, None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    protected virtual IEnumerable<string> OfOneSubscription(IEnumerable<string> told) => told;

    /// <summary>All that was told, up to a last turn that is told for certain.</summary>
    private async Task<IEnumerable<string>> Told()
    {
        await Schedule(Last, 1, moduleName: Last);
        await Eventually.True(() => watcher.Told.Any(IsLast), Patience, "the last turn is told");
        return OfOneSubscription(watcher.Told.TakeWhile(told => !IsLast(told)));

        static bool IsLast(string told) => told.StartsWith($"a1:{Last} ", StringComparison.Ordinal);
    }

    private async Task Schedule(string id, long due, int priority = 0, string moduleName = "ping") =>
        (await Dbos.Send(Given.Task(id, due, priority: priority, moduleName: moduleName))).Value.Duplicate.Should().BeFalse();

    private async Task Cancel(string id) => (await Dbos.Send(new CancelTask(id, string.Empty))).IsRefused.Should().BeFalse();

    private async Task<long> TakeOf(string id, bool reportsEnds)
    {
        await Schedule(id, 100);
        var task = (await Take(limit: 1, reportsEnds: reportsEnds)).Should().ContainSingle().Subject;
        task.Id.Should().Be(id);
        return task.LeaseToken;
    }
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
