using System.Globalization;
using Dbos.Api.Tests.Support;
using Google.Protobuf;
using Grpc.Core;

namespace Dbos.Api.Tests.Streams;

/// <summary>A stream outlives its store's outages, and ends with its server.</summary>
[Collection(Undisturbed.Name)]
public sealed class StreamOutageTests
{
    private const int Cuts = 10;
    private const int Most = 2;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly string agent = Requests.NewId("agent");

    [Fact]
    public async Task A_stream_goes_on_after_Redis_was_killed()
    {
        await using var dbos = await Deployment.Start(StoreKind.Redis, servers: 2);
        await using var taker = Taker.Start(dbos.Servers[1].Client, agent, Most);
        await dbos.Client.ScheduleSome(agent, 4);
        var held = await taker.Next(Most);

        await dbos.Redis.Kill();
        await dbos.Redis.Start();
        await Task.WhenAll(dbos.Servers.Select(server => server.WaitUntilAnswering(Patience)));
        foreach (var task in held)
        {
            (await dbos.Client.Ack(task)).Success.Should().BeTrue();
        }

        var left = await taker.Next(Most);
        left.Select(task => task.Id).Should().NotIntersectWith(held.Select(task => task.Id));
        await dbos.Client.Ack(left[0]);
        var late = (await dbos.Client.ScheduleSome(agent)).Single();
        (await taker.Next()).Task.Id.Should().Be(late.Id);
        taker.End.IsCompleted.Should().BeFalse();
    }

    [Fact]
    public async Task What_is_missed_while_the_subscription_is_cut_is_made_up_for()
    {
        await using var dbos = await Deployment.Start(StoreKind.Redis, servers: 2);
        await using var taker = Taker.Start(dbos.Servers[1].Client, agent);
        await dbos.Client.ScheduleSome(agent);
        for (var cut = 0; cut < Cuts; cut++)
        {
            var held = (await taker.Next()).Task;

            // Neither that the delivery ends nor that another task is due is heard.
            int.Parse(await dbos.Redis.Ask("client", "kill", "type", "pubsub"), CultureInfo.InvariantCulture)
                .Should().Be(2, "each replica has one subscription");
            (await dbos.Client.Ack(held)).Success.Should().BeTrue();
            await dbos.Client.ScheduleSome(agent);
            await Eventually.True(async () => await Subscriptions(dbos) == 2, Patience, "both replicas have subscribed again");
        }

        await dbos.Client.Ack((await taker.Next()).Task);
    }

    [Theory]
    [InlineData(StoreKind.Redis)]
    [InlineData(StoreKind.Embedded)]
    public async Task A_server_that_stops_ends_its_streams_UNAVAILABLE_and_gives_back_what_they_did_not_deliver(StoreKind kind)
    {
        const int Tasks = 40;
        await using var dbos = await Deployment.Start(kind);
        var tasks = Enumerable.Range(0, Tasks).Select(_ => Requests.Task(Requests.NewId("task"), agent)).ToArray();
        foreach (var task in tasks)
        {
            task.Payload = ByteString.CopyFrom(new byte[64 * 1024]);
        }

        await dbos.Client.Schedule(tasks);
        await using var idle = Taker.Start(dbos.Server.Connect(), Requests.NewId("agent"));
        using var deaf = dbos.Server.Connect().StreamDueTasks(new StreamDueTasksRequest { AgentId = agent, MaxInflight = Tasks });
        await Eventually.True(async () => (await dbos.Client.TasksOf(agent, "inflight")).Count == Tasks, Patience, "all are taken");

        dbos.Server.Process.Signal(UnixSignal.Terminate);
        (await dbos.Server.Process.WaitForExit(Patience)).Should().Be(0, dbos.Server.Process.Output);

        (await idle.End.WaitAsync(Patience)).Should().Be(StatusCode.Unavailable);
        await dbos.Server.Kill();
        await dbos.Server.Restart();
        var back = await dbos.Client.TasksOf(agent, "pending");
        back.Count.Should().BeGreaterThan(Tasks / 2);
        back.Should().OnlyContain(task => task.RetryCount == 0 && task.History.Count == 0);
    }

    private static async Task<int> Subscriptions(Deployment dbos) =>
        (await dbos.Redis.Ask("client", "list", "type", "pubsub")).Split('\n').Count(client => client.Contains("id=", StringComparison.Ordinal));
}
