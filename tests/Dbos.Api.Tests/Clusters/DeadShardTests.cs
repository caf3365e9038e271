using System.Diagnostics;
using Dbos.Api.Tests.Support;
using Grpc.Core;
using Grpc.Health.V1;

namespace Dbos.Api.Tests.Clusters;

/// <summary>A shard is gone with its replica, for good: what the others keep is served.</summary>
[Collection(Undisturbed.Name)]
public sealed class DeadShardTests(ClusterWithDeadShard deployment) : IClassFixture<ClusterWithDeadShard>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private DBOS.DBOSClient Client => deployment.Dbos.Client;

    [Fact]
    public async Task However_many_wait_for_it_the_others_are_served()
    {
        await Eventually.True(AllAreRefusedAtOnce, Patience, "nobody waits for the dead shard any more");

        await Parallel.ForEachAsync(deployment.Alive, async (id, _) =>
            (await Client.StoreResultAsync(ClusterWithDeadShard.Result(id), cancellationToken: CancellationToken.None)).Success.Should().BeTrue());
    }

    [Fact]
    public async Task Its_tasks_hold_up_no_others_and_leases_of_others_expire()
    {
        var redelivered = new HashSet<string>();
        await Eventually.True(
            async () =>
            {
                redelivered.UnionWith((await TakeIfDue()).Where(task => task.DeliveryCount > 1).Select(task => task.Id));
                return redelivered.SetEquals(deployment.Alive);
            },
            Patience,
            "every task that is alive is delivered a second time");
    }

    [Fact]
    public async Task That_nothing_is_due_is_not_said_as_long_as_nobody_knows()
    {
        var take = () => Client.Take(Requests.NewId("agent"));

        (await take.Should().ThrowAsync<RpcException>()).Which.StatusCode.Should().Be(StatusCode.Unavailable);
    }

    [Fact]
    public async Task Health_and_the_log_tell_of_a_part_that_is_away_and_those_who_ask_the_others_are_not_turned_away()
    {
        await Eventually.True(
            () => deployment.Dbos.Server.Process.Output.Contains("is away in part", StringComparison.Ordinal), Patience, "it is told");

        (await deployment.Dbos.Server.StatusOf("dbos.DBOS")).Should().Be(HealthCheckResponse.Types.ServingStatus.Serving);
    }

    [Fact]
    public async Task What_becomes_due_in_the_others_is_delivered_to_whoever_listens()
    {
        var agent = Requests.NewId("agent");
        await using var taker = Taker.Start(Client, agent, maxInflight: 100);
        var due = DateTimeOffset.UtcNow.ToUnixTimeSeconds() + 4;
        var scheduled = new HashSet<string>();
        foreach (var id in Enumerable.Range(0, 30).Select(_ => Requests.NewId("task")))
        {
            try
            {
                await Client.ScheduleTaskAsync(new ScheduleTaskRequest { Task = Requests.Task(id, agent, due) });
                scheduled.Add(id);
            }
            catch (RpcException dead) when (dead.StatusCode == StatusCode.Unavailable)
            {
                // It would be kept in the dead shard.
            }
        }

        scheduled.Count.Should().BeInRange(1, 29);
        var delivered = await taker.Next(scheduled.Count);

        delivered.Select(task => task.Id).Should().BeEquivalentTo(scheduled);
        (DateTimeOffset.UtcNow - DateTimeOffset.FromUnixTimeSeconds(due)).Should().BeLessThan(TimeSpan.FromSeconds(4));
    }

    private async Task<IReadOnlyList<WireTask>> TakeIfDue()
    {
        try
        {
            return await Client.Take(ClusterWithDeadShard.Agent, leaseSeconds: 1);
        }
        catch (RpcException nothing) when (nothing.StatusCode == StatusCode.Unavailable)
        {
            return [];
        }
    }

    private async Task<bool> AllAreRefusedAtOnce()
    {
        var since = Stopwatch.StartNew();
        await Task.WhenAll(deployment.Dead.Select(id => FluentActions.Awaiting(async () => await Client.StoreResultAsync(ClusterWithDeadShard.Result(id)))
            .Should().ThrowAsync<RpcException>().Where(failure => failure.StatusCode == StatusCode.Unavailable)));
        return since.Elapsed < TimeSpan.FromMilliseconds(500);
    }
}

/// <summary>Each id is that of a result, of its agent, and of a task of one further agent; all three lie in one partition.</summary>
public sealed class ClusterWithDeadShard : IAsyncLifetime, IAsyncDisposable
{
    public const string Agent = "agent-of-all";

    private readonly string[] ids = [.. Enumerable.Range(0, 64).Select(_ => Requests.NewId("id"))];
    private RedisCluster? cluster;
    private Deployment? dbos;

    public Deployment Dbos => dbos!;

    public IReadOnlyList<string> Dead { get; private set; } = [];

    public IEnumerable<string> Alive => ids.Except(Dead);

    public static StoreResultRequest Result(string id) => Requests.Result(id, agentId: id);

    public async Task InitializeAsync()
    {
        cluster = await RedisCluster.Start(TimeSpan.FromSeconds(1.5));
        dbos = new Deployment(cluster);
        await dbos.InitializeAsync();
        foreach (var id in ids)
        {
            (await dbos.Client.StoreResultAsync(Result(id))).Success.Should().BeTrue();
            (await dbos.Client.ScheduleTaskAsync(new ScheduleTaskRequest { Task = Requests.Task(id, Agent) })).Success.Should().BeTrue();
        }

        // With the partition that keeps the layout.
        var master = await cluster.MasterOf((await cluster.SlotsOf("*:layout")).Single());
        var replica = cluster.Nodes.SkipWhile(node => node != master).ElementAt(RedisCluster.Masters);
        var kept = await master.Ask("keys", "*:task:*");
        Dead = [.. ids.Where(id => kept.Contains(id, StringComparison.Ordinal))];
        await Task.WhenAll(master.Kill(), replica.Kill());
    }

    async Task IAsyncLifetime.DisposeAsync() => await DisposeAsync();

    public async ValueTask DisposeAsync()
    {
        await (dbos?.DisposeAsync() ?? default);
        await (cluster?.DisposeAsync() ?? default);
    }
}
