namespace Dbos.Api.Tests.Support;

/// <summary>What many tests do with the task queue, each time for sure.</summary>
public static class TaskCalls
{
    /// <summary>Schedules them all at once.</summary>
    public static async Task Schedule(this DBOS.DBOSClient client, params WireTask[] tasks)
    {
        var reply = await client.ScheduleTasksAsync(new ScheduleTasksRequest { Tasks = { tasks } });
        reply.Answers.Should().HaveCount(tasks.Length).And.OnlyContain(answer => answer.Success && !answer.Duplicate);
    }

    /// <returns>New tasks of an agent, due now.</returns>
    public static async Task<WireTask[]> ScheduleSome(this DBOS.DBOSClient client, string agentId, int count = 1)
    {
        WireTask[] tasks = [.. Enumerable.Range(0, count).Select(_ => Requests.Task(Requests.NewId("task"), agentId))];
        await client.Schedule(tasks);
        return tasks;
    }

    public static async Task<IReadOnlyList<WireTask>> Take(this DBOS.DBOSClient client, string agentId, int limit = 1_000, long leaseSeconds = 0)
    {
        var reply = await client.ListDueTasksAsync(
            new ListDueTasksRequest { AgentId = agentId, Limit = limit, VisibilityTimeoutSeconds = leaseSeconds });
        reply.Error.Should().BeEmpty();
        return reply.Tasks;
    }

    public static async Task<WireTask> FindTask(this DBOS.DBOSClient client, string id) =>
        (await client.GetTaskAsync(new GetTaskRequest { TaskId = id })).Task;

    public static async Task<IReadOnlyList<WireTask>> TasksOf(this DBOS.DBOSClient client, string agentId, string status = "")
    {
        var reply = await client.ListTasksAsync(new ListTasksRequest { AgentId = agentId, Status = status });
        reply.Error.Should().BeEmpty();
        return reply.Tasks;
    }

    /// <summary>Acknowledges the delivery.</summary>
    public static async Task<AckTaskResponse> Ack(this DBOS.DBOSClient client, WireTask delivery) =>
        await client.AckTaskAsync(new AckTaskRequest { TaskId = delivery.Id, LeaseToken = delivery.LeaseToken });

    /// <summary>How often it was counted since the store was first used.</summary>
    public static async Task<long> Total(this DBOS.DBOSClient client, string counted) =>
        (await client.GetQueueStatsAsync(new GetQueueStatsRequest())).Totals[counted];
}
