using Dbos.Api.Tests.Support;

namespace Dbos.Api.Tests.Tasks;

public abstract class LeaseExtensionTests(Deployment dbos)
{
    private static readonly TimeSpan Worked = TimeSpan.FromSeconds(3.5);

    private readonly string agent = Requests.NewId("agent");

    [Fact]
    public async Task A_holder_that_extends_keeps_its_lease_beyond_the_first_length()
    {
        await dbos.Client.ScheduleSome(agent);
        var held = (await dbos.Client.Take(agent, leaseSeconds: 1)).Single();

        var end = DateTimeOffset.UtcNow + Worked;
        while (DateTimeOffset.UtcNow < end)
        {
            var extended = await Extend(dbos.Servers[^1].Client, held, seconds: 2);
            (extended.Success, extended.Cancelled).Should().Be((true, false), extended.Error);
            await Task.Delay(200);
        }

        var task = await dbos.Client.FindTask(held.Id);
        (task.Status, task.LeaseToken, task.DeliveryCount, task.ExpiryCount).Should().Be(("inflight", held.LeaseToken, 1L, 0));
        (await dbos.Client.Ack(held)).Success.Should().BeTrue();
    }

    [Fact]
    public async Task A_lease_is_never_shortened()
    {
        await dbos.Client.ScheduleSome(agent);
        var held = (await dbos.Client.Take(agent, leaseSeconds: 600)).Single();
        var extended = await dbos.Client.Total("lease_extended");

        var shorter = await Extend(dbos.Client, held, seconds: 10);
        (shorter.Success, shorter.Duplicate).Should().Be((true, true));
        (await dbos.Client.FindTask(held.Id)).VisibilityTime.Should().Be(held.VisibilityTime);

        (await Extend(dbos.Client, held, seconds: 1_200)).Duplicate.Should().BeFalse();
        (await dbos.Client.FindTask(held.Id)).VisibilityTime.Should().BeGreaterThan(held.VisibilityTime + 500);
        (await dbos.Client.Total("lease_extended") - extended).Should().Be(1);
        (await dbos.Client.ReadEvents("task_lease_extended", "task_id", held.Id)).Should().BeEmpty("extensions are routine: counted, not logged");
    }

    [Fact]
    public async Task The_holder_of_a_cancelled_task_is_told_and_can_end_it_no_more()
    {
        await dbos.Client.ScheduleSome(agent);
        var held = (await dbos.Client.Take(agent)).Single();
        var cancel = new CancelTaskRequest { TaskId = held.Id, Reason = "no longer wanted" };
        (await dbos.Client.CancelTaskAsync(cancel)).Duplicate.Should().BeFalse();
        (await dbos.Client.CancelTaskAsync(cancel)).Duplicate.Should().BeTrue();

        var told = await Extend(dbos.Servers[^1].Client, held, seconds: 60);
        var ack = await dbos.Client.Ack(held);
        var nack = await dbos.Client.NackTaskAsync(new NackTaskRequest { TaskId = held.Id, LeaseToken = held.LeaseToken });

        (told.Success, told.Code, told.Cancelled).Should().Be((false, ErrorCode.TaskCancelled, true));
        (ack.Success, ack.Code).Should().Be((false, ErrorCode.TaskCancelled));
        (nack.Success, nack.Code).Should().Be((false, ErrorCode.TaskCancelled));
        var task = await dbos.Client.FindTask(held.Id);
        (task.Status, task.LastError).Should().Be(("cancelled", "no longer wanted"));
        task.EndedAt.Should().BePositive();
    }

    [Fact]
    public async Task Only_the_holder_can_extend_a_lease()
    {
        await dbos.Client.ScheduleSome(agent);
        var held = (await dbos.Client.Take(agent)).Single();
        var stranger = held.Clone();
        stranger.LeaseToken++;

        (await Extend(dbos.Client, stranger, seconds: 60)).Code.Should().Be(ErrorCode.LeaseLost);
        (await Extend(dbos.Client, new WireTask { Id = "unknown", LeaseToken = 1 }, seconds: 60)).Code.Should().Be(ErrorCode.NotFound);
        await dbos.Client.Ack(held);
        (await Extend(dbos.Client, held, seconds: 60)).Success.Should().BeFalse("it has ended");
    }

    private static async Task<ExtendTaskLeaseResponse> Extend(DBOS.DBOSClient client, WireTask held, long seconds) =>
        await client.ExtendTaskLeaseAsync(new ExtendTaskLeaseRequest { TaskId = held.Id, LeaseToken = held.LeaseToken, Seconds = seconds });
}

[Collection(SharedRedis.Name)]
public sealed class LeaseExtensionOnRedis(SharedRedis dbos) : LeaseExtensionTests(dbos);

[Collection(SharedCluster.Name)]
public sealed class LeaseExtensionOnCluster(SharedCluster shared) : LeaseExtensionTests(shared.Dbos);

[Collection(SharedEmbedded.Name)]
public sealed class LeaseExtensionOnEmbedded(SharedEmbedded dbos) : LeaseExtensionTests(dbos);
