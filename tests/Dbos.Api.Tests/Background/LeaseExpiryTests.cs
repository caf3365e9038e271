using Dbos.Api.Tests.Support;

namespace Dbos.Api.Tests.Background;

public abstract class LeaseExpiryTests(Deployment dbos)
{
    private const int LeaseSeconds = 1;
    private const int LeasedAtOnce = 40;
    private static readonly TimeSpan LongestReturn = TimeSpan.FromSeconds(LeaseSeconds + 2);

    private readonly string agent = Requests.NewId("agent");

    [Fact]
    public async Task Expired_leases_return_within_2_seconds_and_only_once()
    {
        string[] ids = [.. (await dbos.Client.ScheduleSome(agent, LeasedAtOnce)).Select(task => task.Id)];
        var taken = await Take();
        taken.Select(task => task.Id).Should().BeEquivalentTo(ids);

        await Eventually.True(async () => (await Find(ids)).All(task => task.Status == "pending"), LongestReturn, "all are pending again");

        // A replica that was late would have come by the time that the tasks are taken and done.
        var again = await Take();
        var tokens = taken.ToDictionary(task => task.Id, task => task.LeaseToken);
        again.Should().HaveCount(LeasedAtOnce).And.OnlyContain(task => task.DeliveryCount == 2 && task.RetryCount == 1)
            .And.OnlyContain(task => task.LeaseToken > tokens[task.Id] && task.LastError == $"lease {tokens[task.Id]} expired");
        await Task.WhenAll(again.Select(task => Ack(task.Id, task.LeaseToken)));
        (await Find(ids)).Should().OnlyContain(task => task.Status == "completed" && task.RetryCount == 1);
        (await dbos.Client.ReadEvents("task_lease_expired", "agent_id", agent)).Select(told => told["task_id"])
            .Should().OnlyHaveUniqueItems().And.HaveCount(LeasedAtOnce);
    }

    [Fact]
    public async Task A_task_whose_lease_expired_too_often_is_failed_and_its_late_holder_is_refused()
    {
        var id = await Schedule(maxExpiries: 1);
        await Take();
        await UntilStatus(id, "pending");
        var last = (await Take()).Single();
        await UntilStatus(id, "failed");

        var task = (await Find(id)).Single();
        (task.ExpiryCount, task.FailureCount, task.RetryCount).Should().Be((2, 0, 2));
        (task.LastError, task.DeadLetterReason).Should().Be(($"lease {last.LeaseToken} expired", "max_expiries"));
        (await dbos.Client.ReadEvents("task_dead_lettered", "task_id", id)).Should().ContainSingle();
        (await dbos.Client.ReadEvents("task_lease_expired", "task_id", id)).Should().HaveCount(2);
        var late = await Ack(id, last.LeaseToken);
        (late.Success, late.Code).Should().Be((false, ErrorCode.LeaseLost));
        (await Take()).Should().BeEmpty("a failed task is not delivered");
    }

    private async Task<string> Schedule(int maxExpiries)
    {
        var task = Requests.Task(Requests.NewId("task"), agent);
        task.MaxExpiries = maxExpiries;
        await dbos.Client.Schedule(task);
        return task.Id;
    }

    private Task<IReadOnlyList<WireTask>> Take() => dbos.Client.Take(agent, leaseSeconds: LeaseSeconds);

    private async Task<AckTaskResponse> Ack(string id, long token) =>
        await dbos.Client.AckTaskAsync(new AckTaskRequest { TaskId = id, LeaseToken = token });

    private async Task<WireTask[]> Find(params string[] ids)
    {
        var found = await Task.WhenAll(ids.Select(id => dbos.Client.GetTaskAsync(new GetTaskRequest { TaskId = id }).ResponseAsync));
        return [.. found.Select(reply => reply.Task)];
    }

    private Task<TimeSpan> UntilStatus(string id, string status) =>
        Eventually.True(async () => (await Find(id)).Single().Status == status, LongestReturn, $"the task is {status}");
}

[Collection(Undisturbed.Name)]
public sealed class LeaseExpiryOnRedis(SharedRedis dbos) : LeaseExpiryTests(dbos);

[Collection(Undisturbed.Name)]
public sealed class LeaseExpiryOnCluster(SharedCluster shared) : LeaseExpiryTests(shared.Dbos);

[Collection(Undisturbed.Name)]
public sealed class LeaseExpiryOnEmbedded(SharedEmbedded dbos) : LeaseExpiryTests(dbos);
