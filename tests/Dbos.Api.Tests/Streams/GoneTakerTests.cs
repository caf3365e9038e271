using System.Collections.Concurrent;
using Dbos.Api.Tests.Support;
using Google.Protobuf;
using Grpc.Net.Client;

namespace Dbos.Api.Tests.Streams;

/// <summary>A taker that goes away without having read what was taken for it.</summary>
public abstract class GoneTakerTests(Deployment dbos)
{
    private const int Tasks = 40;

    /// <summary>Far more together than the buffers between a server and a client that does not read hold.</summary>
    private const int PayloadBytes = 64 * 1024;

    /// <summary>What may lie in those buffers counts as delivered.</summary>
    private const int MostInBuffers = 10;

    /// <summary>Long before the leases of five minutes end, also on a busy machine.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(40);

    private readonly string agent = Requests.NewId("agent");

    public enum Farewell
    {
        Cancelled,
        ConnectionCut,
    }

    [Theory]
    [InlineData(Farewell.Cancelled)]
    [InlineData(Farewell.ConnectionCut)]
    public async Task What_was_not_delivered_is_back_at_once_and_nothing_counts_as_a_failure(Farewell farewell)
    {
        await ScheduleLarge();
        var before = await Totals();
        await using var proxy = new TcpProxy(dbos.Server.Port);
        using var channel = GrpcChannel.ForAddress($"http://{proxy.Address}");
        using var call = new DBOS.DBOSClient(channel).StreamDueTasks(new StreamDueTasksRequest { AgentId = agent, MaxInflight = Tasks });
        await call.ResponseHeadersAsync;
        await Eventually.True(async () => (await Totals())["delivered"] == before["delivered"] + Tasks, Soon, "all are taken for it");

        if (farewell == Farewell.Cancelled)
        {
            call.Dispose();
        }
        else
        {
            proxy.CutNow();
        }

        try
        {
            await Eventually.True(
                async () => (await Totals())["released"] >= before["released"] + Tasks - MostInBuffers, Soon, "what was not delivered is back");
        }
        catch (TimeoutException late)
        {
            var released = (await Totals())["released"] - before["released"];
            throw new TimeoutException($"{late.Message}, but {released} of {Tasks}; DBOS said: {dbos.Server.Process.Output}", late);
        }

        var back = await TasksIn("pending");
        back.Should().OnlyContain(task => task.RetryCount == 0 && task.History.Count == 0 && task.LastError.Length == 0);
        (await dbos.Client.ReadEvents("task_lease_expired", "agent_id", agent)).Should().BeEmpty();
        (await dbos.Client.ReadEvents("task_nacked", "agent_id", agent)).Should().BeEmpty();
        await using var next = Taker.Start(dbos.Servers[^1].Client, agent, Tasks);
        (await next.Next(back.Count)).Should().OnlyContain(task => task.DeliveryCount == 2);
    }

    [Fact]
    public async Task What_was_read_stays_leased_to_a_taker_that_goes()
    {
        await dbos.Client.ScheduleSome(agent, 5);
        var taker = Taker.Start(dbos.Client, agent, maxInflight: 5);
        var held = await taker.Next(5);

        await taker.DisposeAsync();

        await using var next = Taker.Start(dbos.Servers[^1].Client, agent, maxInflight: 5);
        await next.ShouldGetNothing();
        foreach (var task in held)
        {
            (await dbos.Client.Ack(task)).Success.Should().BeTrue();
        }
    }

    [Fact]
    public async Task Hundreds_that_come_and_go_leave_no_task_behind()
    {
        const int Small = 300;
        await dbos.Client.ScheduleSome(agent, Small);
        var seen = new ConcurrentBag<WireTask>();
        await Parallel.ForEachAsync(dbos.Connect(8).SelectMany(client => Enumerable.Repeat(client, 25)), async (client, _) =>
        {
            await using var taker = Taker.Start(client, agent, maxInflight: 2);
            await Task.Delay(Random.Shared.Next(5), CancellationToken.None);
            foreach (var task in taker.Rest())
            {
                seen.Add(task);
            }
        });

        await using var last = Taker.Start(dbos.Client, agent, maxInflight: Small);
        await Eventually.True(async () => await Count("inflight") == Small, Soon, "the last taker has what is left");
        (await TasksIn("inflight")).Should().OnlyContain(task => task.RetryCount == 0 && task.History.Count == 0);
        seen.Select(task => task.Id).Should().OnlyHaveUniqueItems("what was read stays leased");
    }

    private async Task ScheduleLarge()
    {
        var tasks = Enumerable.Range(0, Tasks).Select(_ => Requests.Task(Requests.NewId("task"), agent)).ToArray();
        foreach (var task in tasks)
        {
            task.Payload = ByteString.CopyFrom(new byte[PayloadBytes]);
        }

        await dbos.Client.Schedule(tasks);
    }

    private async Task<IDictionary<string, long>> Totals() => (await dbos.Client.GetQueueStatsAsync(new GetQueueStatsRequest())).Totals;

    private async Task<int> Count(string status) => (await TasksIn(status)).Count;

    private Task<IReadOnlyList<WireTask>> TasksIn(string status) => dbos.Client.TasksOf(agent, status);
}

[Collection(SharedRedis.Name)]
public sealed class GoneTakersOnRedis(SharedRedis dbos) : GoneTakerTests(dbos);

[Collection(SharedCluster.Name)]
public sealed class GoneTakersOnCluster(SharedCluster shared) : GoneTakerTests(shared.Dbos);

[Collection(SharedEmbedded.Name)]
public sealed class GoneTakersOnEmbedded(SharedEmbedded dbos) : GoneTakerTests(dbos);
