using System.Threading.Channels;
using Dbos.Api.Tests.Support;

namespace Dbos.Api.Tests.Streams;

/// <summary>No taker has more unfinished deliveries than it asked for, and each that ends, anywhere and anyhow, makes room for another.</summary>
public abstract class MaxInflightTests(Deployment dbos)
{
    private const int Most = 3;

    private readonly string agent = Requests.NewId("agent");
    private readonly DBOS.DBOSClient other = dbos.Servers[0].Connect();
    private readonly DBOS.DBOSClient worker = dbos.Servers[^1].Connect();

    [Fact]
    public async Task An_ack_a_nack_and_a_cancel_make_room()
    {
        await other.ScheduleSome(agent, 10);
        await using var taker = Taker.Start(worker, agent, Most);
        var held = new Queue<WireTask>(await taker.Next(Most));
        await taker.ShouldGetNothing();

        await other.Ack(held.Dequeue());
        held.Enqueue((await taker.Next()).Task);
        await other.AckTasksAsync(new AckTasksRequest { Acks = { new AckTaskRequest { TaskId = held.Dequeue().Id } } });
        held.Enqueue((await taker.Next()).Task);
        await other.NackTaskAsync(new NackTaskRequest { TaskId = held.Dequeue().Id, RetryDelaySeconds = 3_600 });
        held.Enqueue((await taker.Next()).Task);
        await other.CancelTaskAsync(new CancelTaskRequest { TaskId = held.Dequeue().Id });
        held.Enqueue((await taker.Next()).Task);

        await taker.ShouldGetNothing();
        (await other.TasksOf(agent, "inflight")).Select(task => task.Id).Should().BeEquivalentTo(held.Select(task => task.Id));
    }

    [Fact]
    public async Task An_expired_lease_makes_room()
    {
        await other.ScheduleSome(agent, Most);
        await using var taker = Taker.Start(worker, agent, Most, leaseSeconds: 1);
        var first = await taker.Next(Most);

        var second = await taker.Next(Most);

        second.Select(task => task.Id).Should().BeEquivalentTo(first.Select(task => task.Id));
        second.Should().OnlyContain(task => task.DeliveryCount == 2 && task.ExpiryCount == 1 && task.FailureCount == 0);
    }

    [Fact]
    public async Task A_cancelled_pending_task_never_comes()
    {
        var tasks = await other.ScheduleSome(agent, 2);
        await using var taker = Taker.Start(worker, agent);
        var held = (await taker.Next()).Task;
        var waiting = tasks.Single(task => task.Id != held.Id);

        await other.CancelTaskAsync(new CancelTaskRequest { TaskId = waiting.Id });
        await other.Ack(held);

        await taker.ShouldGetNothing();
    }

    [Fact]
    public async Task A_crowd_that_acks_through_all_replicas_never_holds_more_than_it_may()
    {
        const int Tasks = 1_000;
        await other.ScheduleSome(agent, Tasks);
        await using var taker = Taker.Start(worker, agent, Most);
        var unfinished = 0;
        var most = 0;
        var work = Channel.CreateBounded<WireTask>(Most);
        var workers = dbos.Connect(4).Select(async client =>
        {
            await foreach (var task in work.Reader.ReadAllAsync())
            {
                Interlocked.Decrement(ref unfinished);
                (await client.Ack(task)).Success.Should().BeTrue();
            }
        }).ToArray();

        for (var i = 0; i < Tasks; i++)
        {
            var task = (await taker.Next()).Task;
            most = Math.Max(most, Interlocked.Increment(ref unfinished));
            await work.Writer.WriteAsync(task);
        }

        work.Writer.Complete();
        await Task.WhenAll(workers);
        most.Should().BeInRange(2, Most);
        (await other.TasksOf(agent, "completed")).Should().HaveCount(Tasks).And.OnlyContain(task => task.DeliveryCount == 1);
    }
}

[Collection(SharedRedis.Name)]
public sealed class MaxInflightOnRedis(SharedRedis dbos) : MaxInflightTests(dbos);

[Collection(SharedCluster.Name)]
public sealed class MaxInflightOnCluster(SharedCluster shared) : MaxInflightTests(shared.Dbos);

[Collection(SharedEmbedded.Name)]
public sealed class MaxInflightOnEmbedded(SharedEmbedded dbos) : MaxInflightTests(dbos);
