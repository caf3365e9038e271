using System.Diagnostics;
using System.Text;
using Dbos.Application;
using Dbos.Application.Tasks;
using Dbos.Domain.Answers;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Store;
using Dbos.Application.Results;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;
using Dbos.Testing;

namespace Dbos.Infrastructure.Tests.Redis;

/// <summary>A primary with one replica, which must have what is acknowledged.</summary>
[Collection(Undisturbed.Name)]
public sealed class ReplicationTests : IAsyncLifetime
{
    private static readonly TimeSpan LongestCall = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly RedisEngine engine = new() { ServerOptions = ["--enable-debug-command", "yes", "--repl-diskless-sync-delay", "0"] };
    private RedisServer replica = null!;
    private OpenStore dbos = null!;

    public async Task InitializeAsync()
    {
        await engine.InitializeAsync();
        replica = await RedisServer.Start();
        await replica.Follow(engine.Server.Port);
        await engine.Server.WaitUntilFollowed();
        dbos = await engine.Open(Replicated(1));
        await dbos.Send(Given.Task());
    }

    public async Task DisposeAsync()
    {
        await dbos.DisposeAsync();
        await replica.DisposeAsync();
        await engine.DisposeAsync();
    }

    /// <summary>Of the command, and of its proof.</summary>
    [Theory]
    [InlineData("result_stored", CutPoint.BeforeRequest)]
    [InlineData("result_stored", CutPoint.WithinRequest)]
    [InlineData("result_stored", CutPoint.BeforeReply)]
    [InlineData("WAIT", CutPoint.BeforeRequest)]
    [InlineData("WAIT", CutPoint.BeforeReply)]
    public async Task A_cut_is_noticed_by_nobody_and_the_write_is_done_once(string pattern, CutPoint point)
    {
        await using var proxy = new TcpProxy(engine.Server.Port);
        await using var through = await engine.Open(Replicated(1), proxy.Address);
        await through.Send(Given.Task());
        proxy.CutAt(point, Encoding.UTF8.GetBytes(pattern));

        (await through.Send(Given.Result())).Value.Duplicate.Should().BeFalse();

        await ShouldBeStoredOnce(through);
    }

    [Fact]
    public async Task A_primary_whose_history_is_another_since_the_last_proof_is_asked_again_and_the_write_is_done_once()
    {
        await engine.Server.Ask("debug", "change-repl-id");

        (await dbos.Send(Given.Result())).Value.Duplicate.Should().BeFalse("the write sent again knows itself");

        await ShouldBeStoredOnce(dbos);
    }

    [Fact]
    public async Task What_ran_while_the_history_became_another_may_be_done_and_is_not_acknowledged()
    {
        var server = engine.Operator.GetServer(engine.Server.Address);

        var run = () => dbos.Get<Replication>().Proven(
            server, "mark", isRepeatable: false, "change-repl-id", (server, what) => server.ExecuteAsync("DEBUG", what));

        (await run.Should().ThrowAsync<BriefOutageException>()).Which.MayBeDone.Should().BeTrue();
    }

    [Fact]
    public async Task While_replicas_are_away_nothing_is_taken_and_when_they_are_back_it_is_delivered_for_the_first_time()
    {
        await replica.Kill();
        var write = () => dbos.Send(Given.Result());
        await write.Should().ThrowAsync<StoreUnavailableException>("from now on they are known to be away");

        for (var time = 0; time < 3; time++)
        {
            var take = () => dbos.Send(Given.Due());
            await take.Should().ThrowAsync<StoreUnavailableException>();
        }

        await replica.Start();
        await replica.Follow(engine.Server.Port);
        await engine.Server.WaitUntilFollowed();
        Answer<IReadOnlyList<Domain.Tasks.MeasurementTask>> taken = default;
        await Testing.Eventually.True(
            () => Outage.IsOver(async () => taken = await dbos.Send(Given.Due())), TimeSpan.FromSeconds(8), "a replica is known to follow");
        var task = taken.Value.Should().ContainSingle().Subject;
        (task.Deliveries, task.Expiries).Should().Be((1, 0), "it is its first delivery");
    }

    [Fact]
    public async Task A_probe_sets_the_clock_though_no_replica_confirms_it()
    {
        var clock = dbos.Get<RedisClock>();
        clock.Set(DateTimeOffset.UtcNow.AddHours(1).ToUnixTimeSeconds(), 0);
        await replica.Kill();

        var probe = () => dbos.Probe();

        await probe.Should().ThrowAsync<StoreUnavailableException>();
        clock.GetUtcNow().Should().BeCloseTo(DateTimeOffset.UtcNow, TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task That_scripts_are_forgotten_is_noticed_by_nobody()
    {
        await engine.Server.Ask("script", "flush");

        (await dbos.Send(Given.Result())).Value.Duplicate.Should().BeFalse();
    }

    [Fact]
    public async Task Too_few_replicas_are_an_outage_in_time_to_writes_and_to_what_is_decided_on()
    {
        await dbos.Send(Given.Result("old"));
        await using var more = await engine.Open(Replicated(2), engine.Server.Address);
        Func<Task>[] calls =
        [
            () => more.Send(Given.Result()),
            () => more.Send(new GetResult("a1", "r1")),
            () => more.Send(new GetTask("t1")),
            () => more.Probe(),
        ];

        foreach (var call in calls)
        {
            var since = Stopwatch.StartNew();
            await call.Should().ThrowAsync<StoreUnavailableException>();
            since.Elapsed.Should().BeLessThan(LongestCall);
        }
    }

    [Fact]
    public async Task A_primary_that_became_a_replica_is_an_outage_and_nothing_is_acknowledged()
    {
        await engine.Server.Follow(replica.Port);

        foreach (var call in new Func<Task>[] { () => dbos.Send(Given.Result()), () => dbos.Send(new GetResult("a1", "r1")) })
        {
            await call.Should().ThrowAsync<StoreUnavailableException>();
        }

        await engine.Server.Promote();
        await Testing.Eventually.True(() => Outage.IsOver(() => dbos.Send(Given.Result())), Patience, "it is a primary with a replica again");
        await ShouldBeStoredOnce(dbos);
    }

    /// <summary>Connections remember what they saw when they were made.</summary>
    [Fact]
    public async Task A_replica_that_was_connected_to_and_is_promoted_serves()
    {
        await engine.Server.Follow(replica.Port);
        await engine.Server.Ask("client", "kill", "type", "normal");
        await Testing.Eventually.True(
            async () => (await engine.Server.Ask("client", "list")).Split("name=dbos ").Length > 3, Patience, "all three connections are there again");

        await engine.Server.Promote();

        await Testing.Eventually.True(() => Outage.IsOver(() => dbos.Send(Given.Result())), Patience, "it is a primary with a replica again");
    }

    /// <summary>It may lack what was acknowledged without it.</summary>
    [Fact]
    public async Task A_replica_is_not_asked_in_place_of_a_dead_primary()
    {
        await using var local = await engine.Open(new OpenOptions(), $"{engine.Server.Address},{replica.Address}");
        await local.Send(Given.Result());
        await engine.Server.Kill();

        var find = () => local.Send(new GetResult("a1", "r1"));
        var list = () => local.History();
        await find.Should().ThrowAsync<StoreUnavailableException>();
        await list.Should().ThrowAsync<StoreUnavailableException>();
    }

    private static OpenOptions Replicated(int replicas) => new() { Settings = settings => settings with { Replicas = replicas } };

    private static async Task ShouldBeStoredOnce(OpenStore dbos)
    {
        var lines = await dbos.Lines();
        lines.Should().ContainSingle(line => line == "other result:r1");
        lines.Should().ContainSingle(line => line.Contains("\"type\":\"result_stored\"", StringComparison.Ordinal));
    }
}
