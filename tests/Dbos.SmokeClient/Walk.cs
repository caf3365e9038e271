using System.Text.Json;
using Dbos.Wire;
using Google.Protobuf;
using Grpc.Core;
using MeasurementTask = Dbos.Wire.Task;
using Task = System.Threading.Tasks.Task;

namespace Dbos.SmokeClient;

/// <summary>One measurement's way through DBOS. Its ids are new in each run, so it may run again on the same server.</summary>
internal sealed class Walk(DBOS.DBOSClient dbos, Steps steps)
{
    private const string Module = "smoke";

    /// <summary>Long before the tasks of others are due: a take as of then finds none of theirs.</summary>
    private const long LongAgo = 1;
    private const long Now = 0;

    private readonly string agentId = NewId("agent");
    private readonly string requestId = NewId("request");
    private readonly string taskId = NewId("task");
    private readonly long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();

    private static CallOptions InTime => new(deadline: DateTime.UtcNow.AddSeconds(10));

    public async Task Run()
    {
        await Agent();
        await States();
        await Result();
        await Queue();
        await Events();
        await Agents();
    }

    private static string NewId(string kind) => $"smoke-{kind}-{Guid.NewGuid().ToString("N")[..12]}";

    private async Task Agent()
    {
        var agent = new Agent { Id = agentId, Hostname = "smoke.example.net", Alive = true, LastSeen = now, FirstSeen = now };
        await steps.Take("register an agent", dbos.RegisterAgentAsync(new() { Agent = agent }, InTime), reply => reply.Success);
        await steps.Take(
            "read it",
            dbos.GetAgentAsync(new() { AgentId = agentId }, InTime),
            reply => reply.Found && reply.Agent.Equals(agent));
    }

    private async Task States()
    {
        await steps.Take("a request runs", Set("running"), reply => reply is { Success: true, Version: 1 });
        await Refuse("back to created: a bad transition", Set("created"), ErrorCode.InvalidTransition);
        await Refuse("completed over version 7: a conflict", Set("completed", 7), ErrorCode.VersionConflict);
        await steps.Take("completed over version 1", Set("completed", 1), reply => reply is { Success: true, Version: 2 });
        await steps.Take(
            "read its state",
            dbos.GetModuleStateAsync(new() { RequestId = requestId }, InTime),
            reply => reply is { Found: true, State: { State: "completed", Version: 2 } });
        await steps.Take(
            "list the states of the agent's module",
            dbos.ListModuleStatesAsync(new() { AgentId = agentId, ModuleName = Module }, InTime),
            reply => reply.States is [{ State: "completed" } state] && state.RequestId == requestId);
    }

    private AsyncUnaryCall<SetModuleStateResponse> Set(string word, long? expectedVersion = null)
    {
        var state = new ModuleState { AgentId = agentId, ModuleName = Module, RequestId = requestId, State = word, Timestamp = now };
        var request = new SetModuleStateRequest { State = state };
        if (expectedVersion is { } version)
        {
            request.ExpectedVersion = version;
        }

        return dbos.SetModuleStateAsync(request, InTime);
    }

    private Task<SetModuleStateResponse> Refuse(string what, AsyncUnaryCall<SetModuleStateResponse> call, ErrorCode code) =>
        steps.Take(what, call, reply => !reply.Success && reply.Code == code && reply.Error.Length > 0);

    private async Task Result()
    {
        var result = new MeasurementResult
        {
            Id = requestId,
            AgentId = agentId,
            ModuleName = "unknown",
            Data = ByteString.CopyFromUtf8("""{"rtt_ms": 12.5}"""),
            Timestamp = now,
        };
        await steps.Take("store its result", Store(), reply => reply is { Success: true, Duplicate: false });
        await steps.Take("store it again: a duplicate", Store(), reply => reply is { Success: true, Duplicate: true });
        await steps.Take(
            "read the result",
            dbos.GetResultAsync(new() { AgentId = agentId, RequestId = requestId }, InTime),
            reply => reply is { Found: true, Result.IngestSource: "grpc" } && reply.Result.Data == result.Data);
        await steps.Take(
            "list the agent's results",
            dbos.ListResultsAsync(new() { AgentId = agentId }, InTime),
            reply => reply.Results is [var only] && only.Id == requestId);

        AsyncUnaryCall<StoreResultResponse> Store() => dbos.StoreResultAsync(new() { Result = result }, InTime);
    }

    private async Task Queue()
    {
        var task = new MeasurementTask { Id = taskId, AgentId = agentId, ModuleName = Module, ScheduledAt = LongAgo };
        await steps.Take("schedule a task", dbos.ScheduleTaskAsync(new() { Task = task }, InTime), reply => reply.Success);
        var first = await TakeOwn("it is due, and taken", LongAgo);
        await steps.Take(
            "fail at it: it returns to the queue",
            dbos.NackTaskAsync(new() { TaskId = taskId, LeaseToken = first.LeaseToken, Reason = "smoke" }, InTime),
            reply => reply.Success);
        var second = await TakeOwn("it is due again, and taken again", Now);
        steps.Check(
            "its retry is counted, its lease a new one",
            second.RetryCount == 1 && second.LeaseToken > first.LeaseToken,
            $"retry {second.RetryCount}, lease {first.LeaseToken}, then {second.LeaseToken}");
        await steps.Take(
            "acknowledge it",
            dbos.AckTaskAsync(new() { TaskId = taskId, LeaseToken = second.LeaseToken }, InTime),
            reply => reply is { Success: true, Duplicate: false });
        await steps.Take(
            "read it",
            dbos.GetTaskAsync(new() { TaskId = taskId }, InTime),
            reply => reply is { Found: true, Task: { Status: "completed", RetryCount: 1 } });
    }

    /// <summary>
    /// What is taken cannot be chosen: tasks of others that are due as well are given back at once, at the cost
    /// of one retry each.
    /// </summary>
    private async Task<MeasurementTask> TakeOwn(string what, long dueAt)
    {
        var taken = new List<MeasurementTask>();
        ListDueTasksResponse due;
        do
        {
            due = await dbos.ListDueTasksAsync(new() { Timestamp = dueAt, Limit = 1000, VisibilityTimeoutSeconds = 60 }, InTime);
            taken.AddRange(due.Tasks);
        }
        while (due.Tasks.Count > 0 && due.Tasks.All(task => task.Id != taskId));

        foreach (var other in taken.Where(task => task.Id != taskId))
        {
            var reason = "taken by a smoke test, and given back";
            await dbos.NackTaskAsync(new() { TaskId = other.Id, LeaseToken = other.LeaseToken, Reason = reason }, InTime);
        }

        var own = taken.Find(task => task.Id == taskId);
        steps.Check(what, own is { Status: "inflight", LeaseToken: > 0 }, own?.ToString() ?? "it is not among the due tasks");
        return own ?? new MeasurementTask();
    }

    private async Task Events()
    {
        var reply = await dbos.GetEventsAsync(new() { Limit = 1000 }, InTime);
        var own = reply.Events
            .Select(bytes => JsonDocument.Parse(bytes.Memory).RootElement)
            .Where(told => told.GetProperty("metadata").TryGetProperty("task_id", out var id) && id.GetString() == taskId)
            .Select(told => told.GetProperty("type").GetString());
        var types = string.Join(", ", own);
        steps.Check("the events of the task, newest first", types == "task_acknowledged, task_nacked, task_scheduled", types);
    }

    private async Task Agents()
    {
        var request = new ListAgentsRequest { PageSize = 1000 };
        var ids = new List<string>();
        do
        {
            var page = await dbos.ListAgentsAsync(request, InTime);
            ids.AddRange(page.Agents.Select(agent => agent.Id));
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        steps.Check("the agent is among all agents", ids.Contains(agentId), $"{ids.Count} agents");
    }
}
