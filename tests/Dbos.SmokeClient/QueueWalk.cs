using System.Text.Json;
using Dbos.Wire;
using Grpc.Core;
using static Dbos.SmokeClient.Walk;
using MeasurementTask = Dbos.Wire.Task;
using Task = System.Threading.Tasks.Task;

namespace Dbos.SmokeClient;

/// <summary>The tasks of one agent, from their schedule to every end that they can have. Those of others are left alone.</summary>
internal sealed class QueueWalk(DBOS.DBOSClient dbos, Steps steps, string agentId)
{
    private const string Module = "smoke";

    private readonly string first = NewId("task");
    private readonly string[] doomed = [NewId("task"), NewId("task")];

    public async Task Run()
    {
        await OneTask();
        await Stream();
        await DeadLetters();
        await Overview();
    }

    private async Task OneTask()
    {
        await steps.Take("schedule a task", dbos.ScheduleTaskAsync(new() { Task = NewTask(first) }, InTime), reply => reply.Success);
        var delivery = await TakeOne("it is due, and taken");
        await steps.Take(
            "extend its lease",
            dbos.ExtendTaskLeaseAsync(new() { TaskId = first, LeaseToken = delivery.LeaseToken, Seconds = 600 }, InTime),
            reply => reply is { Success: true, Cancelled: false });
        await Fail("fail at it: it returns to the queue", delivery);
        var again = await TakeOne("it is due again, and taken again");
        steps.Check(
            "its failure is counted, its lease a new one",
            again is { FailureCount: 1, ExpiryCount: 0 } && again.LeaseToken > delivery.LeaseToken,
            $"failures {again.FailureCount}, lease {delivery.LeaseToken}, then {again.LeaseToken}");
        await steps.Take(
            "a stale lease completes nothing",
            dbos.AckTaskAsync(new() { TaskId = first, LeaseToken = delivery.LeaseToken }, InTime),
            reply => reply is { Success: false, Code: ErrorCode.LeaseLost });
        await steps.Take(
            "acknowledge it",
            dbos.AckTaskAsync(new() { TaskId = first, LeaseToken = again.LeaseToken }, InTime),
            reply => reply is { Success: true, Duplicate: false });
        await steps.Take(
            "read it",
            dbos.GetTaskAsync(new() { TaskId = first }, InTime),
            reply => reply is { Found: true, Task: { Status: "completed", RetryCount: 1, DeliveryCount: 2 } });
        await Events();
    }

    private async Task Events()
    {
        var reply = await dbos.GetEventsAsync(new() { Limit = 1000 }, InTime);
        var own = reply.Events
            .Select(bytes => JsonDocument.Parse(bytes.Memory).RootElement)
            .Where(told => told.GetProperty("metadata").TryGetProperty("task_id", out var id) && id.GetString() == first)
            .Select(told => told.GetProperty("type").GetString());
        var types = string.Join(", ", own);
        steps.Check(
            "the events of the task, newest first",
            types == "task_acknowledged, task_ack_error, task_nacked, task_scheduled",
            types);
    }

    private async Task Stream()
    {
        string[] ids = [NewId("task"), NewId("task"), NewId("task")];
        await steps.Take(
            "schedule three at once",
            dbos.ScheduleTasksAsync(new() { Tasks = { ids.Select(id => NewTask(id)) } }, InTime),
            reply => reply.Answers.Count == ids.Length && reply.Answers.All(answer => answer.Success));
        using var stream = dbos.StreamDueTasks(new() { AgentId = agentId, MaxInflight = ids.Length }, InTime);
        var delivered = new List<MeasurementTask>();
        while (delivered.Count < ids.Length && await stream.ResponseStream.MoveNext(CancellationToken.None))
        {
            delivered.AddRange(stream.ResponseStream.Current.Tasks);
        }

        steps.Check(
            "a stream delivers them",
            delivered.Select(task => task.Id).Order().SequenceEqual(ids.Order()),
            string.Join(", ", delivered.Select(task => task.Id)));
        await steps.Take(
            "acknowledge them at once",
            dbos.AckTasksAsync(new() { Acks = { delivered.Select(task => new AckTaskRequest { TaskId = task.Id, LeaseToken = task.LeaseToken }) } }, InTime),
            reply => reply.Answers.Count == ids.Length && reply.Answers.All(answer => answer is { Success: true, Duplicate: false }));
    }

    private async Task DeadLetters()
    {
        await dbos.ScheduleTasksAsync(new() { Tasks = { doomed.Select(id => NewTask(id, maxRetries: 1)) } }, InTime);
        for (var failure = 1; failure <= 2; failure++)
        {
            var taken = await dbos.ListDueTasksAsync(new() { AgentId = agentId }, InTime);
            foreach (var delivery in taken.Tasks)
            {
                await Fail($"fail at one that may fail once, time {failure}", delivery);
            }
        }

        await steps.Take(
            "they are dead letters",
            dbos.ListDeadLetterTasksAsync(new() { AgentId = agentId }, InTime),
            reply => reply.Tasks.Select(task => task.Id).Order().SequenceEqual(doomed.Order())
                && reply.Tasks.All(task => task is { DeadLetterReason: "max_retries", FailureCount: 2, History.Count: 2 }));
        await steps.Take(
            "requeue one",
            dbos.RequeueDeadLetterTasksAsync(new() { TaskIds = { doomed[0] } }, InTime),
            reply => reply is { Success: true, Requeued: 1, NotRequeued.Count: 0 });
        await steps.Take(
            "cancel it",
            dbos.CancelTaskAsync(new() { TaskId = doomed[0], Reason = "smoke" }, InTime),
            reply => reply is { Success: true, Duplicate: false });
        await steps.Take(
            "delete the other",
            dbos.DeleteDeadLetterTaskAsync(new() { TaskId = doomed[1] }, InTime),
            reply => reply.Success);
    }

    private async Task Overview()
    {
        await steps.Take(
            "list the agent's tasks",
            dbos.ListTasksAsync(new() { AgentId = agentId }, InTime),
            reply => reply.Tasks.GroupBy(task => task.Status).Select(some => (some.Key, some.Count())).SequenceEqual([("completed", 4), ("cancelled", 1)]));
        await steps.Take(
            "the statistics count them",
            dbos.GetQueueStatsAsync(new(), InTime),
            reply => reply is { Completed: >= 4, Cancelled: >= 1, CompletedPerSecond: > 0 } && reply.Totals["deleted"] >= 1);
        await Consistency();
    }

    private async Task Consistency()
    {
        using var check = dbos.CheckConsistency(new(), InTime);
        var replies = new List<CheckConsistencyResponse>();
        while (await check.ResponseStream.MoveNext(CancellationToken.None))
        {
            replies.Add(check.ResponseStream.Current);
        }

        var wrong = replies.SelectMany(reply => reply.Inconsistencies).Select(found => found.Description).ToArray();
        steps.Check(
            "the queue is consistent",
            wrong.Length == 0 && replies is [.., { Done: true, Error: "" }],
            wrong.Length == 0 ? $"{replies[^1].Checked} records and index entries" : string.Join("; ", wrong));
    }

    private MeasurementTask NewTask(string id, int maxRetries = 0) =>
        new() { Id = id, AgentId = agentId, ModuleName = Module, MaxRetries = maxRetries };

    private async Task<MeasurementTask> TakeOne(string what)
    {
        var taken = await dbos.ListDueTasksAsync(new() { AgentId = agentId, ModuleName = Module, VisibilityTimeoutSeconds = 60 }, InTime);
        steps.Check(what, taken.Tasks is [{ Status: "inflight", LeaseToken: > 0 } only] && only.Id == first, taken.Tasks.ToString());
        return taken.Tasks.FirstOrDefault() ?? new MeasurementTask();
    }

    private Task<NackTaskResponse> Fail(string what, MeasurementTask delivery) => steps.Take(
        what,
        dbos.NackTaskAsync(new() { TaskId = delivery.Id, LeaseToken = delivery.LeaseToken, Reason = "smoke", RetryAtOnce = true }, InTime),
        reply => reply.Success);
}
