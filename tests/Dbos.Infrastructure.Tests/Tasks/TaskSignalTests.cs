using Dbos.Application.Tasks;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;

namespace Dbos.Infrastructure.Tests.Tasks;

/// <summary>What takers that wait are told, so that none has to ask again and again.</summary>
public abstract class TaskSignalTests : TaskTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private readonly ToldWatcher watcher = new();

    protected TaskSignalTests(IEngine engine)
        : base(engine) =>
        Options = new OpenOptions { Watcher = watcher, Settings = settings => settings with { Partitions = 1 } };

    protected override OpenOptions Options { get; }

    [Fact]
    public async Task A_queue_s_new_earliest_task_is_announced_and_no_later_one()
    {
        await Dbos.Send(Given.Task("first", Given.LongAgo));
        await Dbos.Send(Given.Task("later", Given.LongAgo + 1));
        await Dbos.Send(Given.Task("earlier", Given.LongAgo - 1));
        await Dbos.Send(Given.Task("other queue", Given.LongAgo + 2, moduleName: "trace"));
        await Dbos.Send(Given.Task("other priority", Given.LongAgo + 3, priority: 9));
        await Dbos.Send(Given.Task("far off", 4_000_000_000, agentId: "a2"));

        await Told(
            $"a1:ping due {Given.LongAgo}000",
            $"a1:ping due {Given.LongAgo - 1}000",
            $"a1:trace due {Given.LongAgo + 2}000",
            $"a1:ping due {Given.LongAgo + 3}000");
    }

    [Fact]
    public async Task What_comes_soon_after_what_was_taken_is_announced()
    {
        var soon = Now.ToUnixTimeSeconds() + 2;
        await Dbos.Send(Given.Task("first"));
        await Dbos.Send(Given.Task("due too", Given.LongAgo + 1));
        await Dbos.Send(Given.Task("soon", soon));

        await Take(limit: 1);
        await Take(limit: 1);

        await Told($"a1:ping due {Given.LongAgo}000", $"a1:ping due {soon}000");
    }

    [Theory]
    [InlineData("ack")]
    [InlineData("nack")]
    [InlineData("cancel")]
    [InlineData("release")]
    [InlineData("expire")]
    public async Task However_a_delivery_to_a_stream_ends_its_end_is_reported(string how)
    {
        await Dbos.Send(Given.Task());
        var taken = (await Take(lease: TimeSpan.FromSeconds(how == "expire" ? 0.001 : 60), reportsEnds: true)).Single();
        await Dbos.Send(new ExtendTaskLease("t1", LeaseToken: 77, Seconds: 10));
        await (how switch
        {
            "ack" => Dbos.Send(new AckTask("t1", taken.LeaseToken)),
            "nack" => Dbos.Send(Given.Nack(token: taken.LeaseToken)),
            "cancel" => Dbos.Send(new CancelTask("t1", string.Empty)),
            "release" => Tasks.Release([taken.Delivery], Caller, None),
            _ => Expire(),
        });

        await Testing.Eventually.True(
            () => watcher.Told.Contains($"t1 {taken.LeaseToken} ended"), Patience, "the end is reported");
        // An end may be published twice, as by a cluster whose subscription moves to another node.
        watcher.Told.Where(told => told.EndsWith("ended", StringComparison.Ordinal)).Distinct().Should().ContainSingle();
    }

    [Fact]
    public async Task The_end_of_another_delivery_is_not_reported()
    {
        await Dbos.Send(Given.Task());
        await Dbos.Send(new AckTask("t1", (await TakeOne()).LeaseToken));

        watcher.Told.Should().NotContain(told => told.EndsWith("ended", StringComparison.Ordinal));
    }

    private async Task Told(params string[] expected)
    {
        await Testing.Eventually.True(() => watcher.Told.Count >= expected.Length, Patience, "it is announced");
        watcher.Told.Should().Equal(expected);
    }
}

public sealed class TaskSignalOnSqlite(SqliteEngine engine) : TaskSignalTests(engine), IClassFixture<SqliteEngine>
{
    [Fact]
    public async Task The_probe_sees_what_becomes_due_soon_and_the_earliest_deadlines()
    {
        var now = Now.ToUnixTimeMilliseconds();
        await Dbos.Send(Given.Task("taken"));
        var taken = (await Take()).Single();
        await Dbos.Send(Given.Task("cancelled"));
        await Dbos.Send(new CancelTask("cancelled", string.Empty));
        await Dbos.Send(Given.Task("due long ago"));
        await Dbos.Send(Given.Task("soon", (now / 1_000) + 2));
        await Dbos.Send(Given.Task("later", (now / 1_000) + 200));

        var pulse = await Dbos.Probe(new Watch(Heartbeats.Deadlines, now, now + 3_000));

        pulse.Turns.Should().Equal(new Turn("a1:ping", ((now / 1_000) + 2) * 1_000));
        pulse.Earliest.Should().Equal(
            null, taken.VisibleAt.ToUnixTimeMilliseconds(), null, (await Stored("cancelled")).EndedAt!.Value.ToUnixTimeMilliseconds());
    }
}

public sealed class TaskSignalOnRedis(RedisEngine engine) : TaskSignalTests(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class TaskSignalOnCluster(ClusterEngine engine) : TaskSignalTests(engine);
