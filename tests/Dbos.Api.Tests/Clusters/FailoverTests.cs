using System.Collections.Concurrent;
using System.Diagnostics;
using Dbos.Api.Tests.Support;
using Grpc.Core;
using Xunit.Abstractions;

namespace Dbos.Api.Tests.Clusters;

[Collection(Undisturbed.Name)]
public sealed class FailoverTests(ITestOutputHelper output)
{
    private const int Writers = 6;
    private const int WritesBefore = 200;

    /// <summary>A dead node is known as such after this and a little more; then there is an election.</summary>
    private static readonly TimeSpan NodeTimeout = TimeSpan.FromSeconds(1.5);

    /// <summary>From the election on, as after any outage.</summary>
    private static readonly TimeSpan ServiceIsBack = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ConcurrentQueue<Attempt> attempts = [];
    private readonly Stopwatch clock = Stopwatch.StartNew();
    private volatile bool isEnough;

    [Fact]
    public async Task The_successor_of_a_killed_master_is_found_without_a_restart()
    {
        await using var cluster = await RedisCluster.Start(NodeTimeout);
        await using var dbos = new Deployment(cluster, servers: 2);
        await dbos.InitializeAsync();
        var writing = dbos.Connect(Writers).Select(Write).ToArray();
        await Eventually.True(() => attempts.Count > WritesBefore, Patience, "writes are acknowledged");

        var dead = (await cluster.ServingNodes())[0];
        var killed = clock.Elapsed;
        await dead.Kill();
        await Eventually.True(async () => (await cluster.ServingNodes()).Count == 3, Patience, "the replica is promoted");
        var promoted = clock.Elapsed;
        await Task.WhenAll(dbos.Servers.Select(server => server.WaitUntilAnswering(ServiceIsBack)));
        var served = clock.Elapsed;
        await dead.Start();
        await cluster.WaitUntilHealthy();
        isEnough = true;
        await Task.WhenAll(writing);

        var refused = attempts.Where(attempt => attempt.Answer != StatusCode.OK).ToArray();
        var lost = await Lost(dbos.Client);
        output.WriteLine(
            $"promoted after {(promoted - killed).TotalSeconds:0.0} s, service back {(served - promoted).TotalSeconds:0.0} s later; " +
            $"{attempts.Count} writes, {refused.Length} UNAVAILABLE, the longest took {attempts.Max(attempt => attempt.Took).TotalSeconds:0.0} s, {lost.Length} lost");
        refused.Where(attempt => attempt.Answer != StatusCode.Unavailable).Should().BeEmpty();
        refused.Where(attempt => attempt.At > served + ServiceIsBack).Should().BeEmpty();
        lost.Where(attempt => attempt.At > killed).Should().BeEmpty("a master acknowledges before its replica has it, and nothing else loses a write");
        foreach (var attempt in refused.Concat(lost))
        {
            (await dbos.Client.StoreResultAsync(Result(attempt.Id))).Success.Should().BeTrue("a write is safe to send again");
        }

        (await Lost(dbos.Client)).Should().BeEmpty();
    }

    [Fact]
    public async Task A_stream_goes_on_when_the_node_that_its_DBOS_listens_to_dies()
    {
        var agent = Requests.NewId("agent");
        await using var cluster = await RedisCluster.Start(NodeTimeout);
        await using var dbos = new Deployment(cluster, servers: 2);
        await dbos.InitializeAsync();
        await using var taker = Taker.Start(dbos.Servers[1].Client, agent);
        var listened = await Task.WhenAll(cluster.Nodes.Select(node => node.Ask("pubsub", "channels")));
        var dead = cluster.Nodes[Array.FindIndex(listened, channels => channels.Contains(":ends:", StringComparison.Ordinal))];
        var held = await NextOfAnother(dbos, taker, agent, dead);

        // Neither that the delivery ends nor, perhaps, that another task is due is heard.
        await dead.Kill();
        (await dbos.Client.Ack(held)).Success.Should().BeTrue("its partition is another node's");
        await Eventually.True(async () => (await cluster.ServingNodes()).Count == 3, Patience, "the replica is promoted");
        await Task.WhenAll(dbos.Servers.Select(server => server.WaitUntilAnswering(ServiceIsBack)));
        var late = (await dbos.Client.ScheduleSome(agent)).Single();

        (await taker.Next()).Task.Id.Should().Be(late.Id);
    }

    /// <summary>Results of as many agents, so that they lie in every partition.</summary>
    private static StoreResultRequest Result(string id) => Requests.Result(id, agentId: id);

    /// <summary>What a taker gets next whose record lies on another node.</summary>
    private static async Task<WireTask> NextOfAnother(Deployment dbos, Taker taker, string agent, RedisServer node)
    {
        while (true)
        {
            await dbos.Client.ScheduleSome(agent);
            var next = (await taker.Next()).Task;
            if ((await node.Ask("keys", $"*}}:task:{next.Id}")).Length == 0)
            {
                return next;
            }

            await dbos.Client.Ack(next);
        }
    }

    private async Task Write(DBOS.DBOSClient client)
    {
        while (!isEnough)
        {
            var id = Requests.NewId("result");
            var sent = clock.Elapsed;
            var answer = StatusCode.OK;
            try
            {
                (await client.StoreResultAsync(Result(id))).Success.Should().BeTrue();
            }
            catch (RpcException failure)
            {
                answer = failure.StatusCode;
            }

            attempts.Enqueue(new Attempt(id, sent, clock.Elapsed - sent, answer));
        }
    }

    /// <summary>What was acknowledged and is not there.</summary>
    private async Task<Attempt[]> Lost(DBOS.DBOSClient client)
    {
        var lost = new ConcurrentBag<Attempt>();
        await Parallel.ForEachAsync(
            attempts.Where(attempt => attempt.Answer == StatusCode.OK),
            new ParallelOptions { MaxDegreeOfParallelism = 32 },
            async (attempt, _) =>
            {
                if (!(await client.GetResultAsync(new GetResultRequest { AgentId = attempt.Id, RequestId = attempt.Id }, cancellationToken: CancellationToken.None)).Found)
                {
                    lost.Add(attempt);
                }
            });
        return [.. lost];
    }

    private sealed record Attempt(string Id, TimeSpan At, TimeSpan Took, StatusCode Answer);
}
