using Dbos.Api.Tests.Outages;
using Dbos.Api.Tests.Support;
using Grpc.Core;
using Xunit.Abstractions;

namespace Dbos.Api.Tests.Failovers;

[Collection(Undisturbed.Name)]
public sealed class SentinelTests(ITestOutputHelper output)
{
    private const int WritesBefore = 200;

    /// <summary>All but tasks for the agent whose taker listens.</summary>
    private static readonly IReadOnlyList<Kind> Kinds = [.. Kind.All.Where(kind => kind.EventType != "task_scheduled")];

    private static readonly TimeSpan DownAfter = TimeSpan.FromSeconds(1);

    /// <summary>While nothing is to be failed over, so that nothing is that is only slow.</summary>
    private static readonly TimeSpan NotDown = TimeSpan.FromMinutes(1);

    /// <summary>The Sentinels see the death, elect one of them, and it promotes a replica; then DBOS follows.</summary>
    private static readonly TimeSpan MostWithoutService = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>All at once, as each waits for many seconds.</summary>
    [Fact]
    public Task A_primary_that_is_gone_is_followed_to_its_successor_by_calls_and_streams() => Task.WhenAll(
        ShouldBeFollowed(Outage.Killed, "local"), ShouldBeFollowed(Outage.Paused, "local"), ShouldBeFollowed(Outage.Killed, "replicated"));

    [Fact]
    public async Task DBOS_starts_without_the_Sentinels_and_serves_when_they_are_there()
    {
        await using var redis = await RedisSentinels.Start(NotDown);
        await redis.StopSentinels();
        await using var dbos = await DbosServer.StartUnready(Settings(redis, "local"));
        (await IsStored(dbos, "result")).Should().BeFalse();

        await redis.StartSentinels();

        await dbos.WaitUntilServing(Patience);
        (await IsStored(dbos, "result")).Should().BeTrue();
    }

    private async Task ShouldBeFollowed(Outage outage, string durability)
    {
        await using var redis = await RedisSentinels.Start(NotDown);
        await using var dbos = await DbosServer.Start(Settings(redis, durability));
        await using var taker = Taker.Start(dbos.Client, Requests.Agent, leaseSeconds: 2);
        await dbos.Client.ScheduleSome(Requests.Agent);
        await dbos.Client.Ack((await taker.Next()).Task);
        var gone = await redis.Primary();
        var load = WriteLoad.Start(dbos, Kinds);
        await load.WaitUntilAcknowledged(WritesBefore);

        await redis.FailOverAfter(DownAfter);
        await gone.Begin(outage);
        var id = Requests.NewId("result");
        var without = await Eventually.True(() => IsStored(dbos, id), MostWithoutService, "a result is stored by the successor");
        output.WriteLine($"{outage}, {durability}: {without.TotalSeconds:F1} s without service");

        await Eventually.True(async () => await redis.Primary() != gone, Patience, "every Sentinel knows the successor");
        await dbos.WaitUntilServing(Patience);
        await ShouldHaveSurvived(dbos, await load.Stop(), durability, outage);
        (await dbos.Client.StoreResultAsync(Requests.Result(id))).Duplicate.Should().BeTrue();
        var scheduled = await dbos.Client.ScheduleSome(Requests.Agent);
        (await taker.Next()).Task.Id.Should().Be(scheduled[0].Id, "the stream goes on");
        taker.End.IsCompleted.Should().BeFalse();
        await ShouldLoseNothingWhenItComesBack(redis, dbos, gone, outage);
    }

    /// <summary>Of what was acknowledged up to the very death of the primary.</summary>
    private async Task ShouldHaveSurvived(DbosServer dbos, Write[] writes, string durability, Outage outage)
    {
        var acknowledged = writes.Where(write => write.Acknowledged).ToArray();
        var lost = acknowledged.Except(await dbos.Client.StoredOf(acknowledged)).ToArray();
        output.WriteLine($"{outage}, {durability}: {acknowledged.Length} writes acknowledged before, {lost.Length} of them lost");
        acknowledged.Should().HaveCountGreaterThanOrEqualTo(WritesBefore);
        writes.Should().Contain(write => !write.Acknowledged, "the primary was gone under load");
        if (durability == "replicated")
        {
            lost.Should().BeEmpty();
            await dbos.Client.ShouldHoldWhatItAcknowledged(writes);
        }
    }

    /// <summary>It is back as a primary, with older data, until the Sentinels make it a replica of its successor.</summary>
    private static async Task ShouldLoseNothingWhenItComesBack(RedisSentinels redis, DbosServer dbos, RedisServer old, Outage outage)
    {
        // Else a successor that is only slow would take with it what its replicas lack.
        await redis.FailOverAfter(NotDown);
        var stored = new List<string>();
        await old.End(outage);
        await Eventually.True(
            async () =>
            {
                var id = Requests.NewId("result");
                if (await IsStored(dbos, id))
                {
                    stored.Add(id);
                }

                return await IsFollowing(old);
            },
            Patience,
            "the old primary follows its successor");
        await Eventually.True(() => IsStored(dbos, Requests.NewId("result")), Patience, "DBOS serves");

        stored.Should().NotBeEmpty();
        foreach (var id in stored)
        {
            (await dbos.Client.GetResultAsync(new GetResultRequest { AgentId = Requests.Agent, RequestId = id })).Found.Should().BeTrue();
        }
    }

    private static async Task<bool> IsFollowing(RedisServer server)
    {
        try
        {
            return (await server.Ask("info", "replication")).Contains("master_link_status:up", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            // Made a replica right now: Sentinel cuts all its connections.
            return false;
        }
    }

    private static Dictionary<string, string> Settings(RedisSentinels redis, string durability) =>
        new() { ["REDIS_ADDR"] = redis.Address, ["DURABILITY"] = durability };

    private static async Task<bool> IsStored(DbosServer dbos, string id)
    {
        try
        {
            return (await dbos.Client.StoreResultAsync(Requests.Result(id))).Success;
        }
        catch (RpcException outage) when (outage.StatusCode is StatusCode.Unavailable)
        {
            return false;
        }
    }
}
