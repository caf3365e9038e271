using Dbos.Api.Tests.Support;
using Google.Protobuf;

namespace Dbos.Api.Tests.BadInput;

/// <summary>Every way in which a request's shape can be wrong, by a name for the test's report.</summary>
public static class BadCalls
{
    private const long BeyondYear9999 = 253_402_300_800;
    private const string ControlCharacter = "id\u0007";
    private const int LargestResult = 4 * 1024 * 1024;
    private static readonly string TooLong = new('x', 257);
    private static readonly ByteString TooLarge = ByteString.CopyFrom(new byte[LargestResult + 1]);

    public static readonly IReadOnlyDictionary<string, BadCall> ByName = new Dictionary<string, BadCall>
    {
        ["no agent"] = BadCall.Heartbeat("agent", call => call.Agent = null),
        ["agent without id"] = BadCall.Heartbeat("agent.id", call => call.Agent.Id = string.Empty),
        ["agent id too long"] = BadCall.Heartbeat("agent.id", call => call.Agent.Id = TooLong),
        ["agent id with control character"] = BadCall.Heartbeat("agent.id", call => call.Agent.Id = ControlCharacter),
        ["agent last seen before 1970"] = BadCall.Heartbeat("agent.last_seen", call => call.Agent.LastSeen = -1),
        ["agent first seen beyond 9999"] = BadCall.Heartbeat("agent.first_seen", call => call.Agent.FirstSeen = BeyondYear9999),
        ["negative heartbeats"] = BadCall.Heartbeat("agent.total_heartbeats", call => call.Agent.TotalHeartbeats = -1),
        ["get no agent"] = BadCall.GetAgent("agent_id", new GetAgentRequest()),
        ["agents page too small"] = BadCall.ListAgents("page_size", new ListAgentsRequest { PageSize = -1 }),
        ["agents page too large"] = BadCall.ListAgents("page_size", new ListAgentsRequest { PageSize = 10_001 }),
        ["agents bad page token"] = BadCall.ListAgents("page_token", new ListAgentsRequest { PageToken = "no token" }),

        ["no state"] = BadCall.State("state", call => call.State = null),
        ["state without agent"] = BadCall.State("state.agent_id", call => call.State.AgentId = string.Empty),
        ["state without module"] = BadCall.State("state.module_name", call => call.State.ModuleName = string.Empty),
        ["state request id too long"] = BadCall.State("state.request_id", call => call.State.RequestId = TooLong),
        ["state request id with control character"] = BadCall.State("state.request_id", call => call.State.RequestId = ControlCharacter),
        ["empty state"] = BadCall.State("state.state", call => call.State.State = string.Empty),
        ["unknown state"] = BadCall.State("state.state", call => call.State.State = "paused"),
        ["stopped is no state of a request"] = BadCall.State("state.state", call => call.State.State = "stopped"),
        ["state before 1970"] = BadCall.State("state.timestamp", call => call.State.Timestamp = -1),
        ["state beyond 9999"] = BadCall.State("state.timestamp", call => call.State.Timestamp = BeyondYear9999),
        ["negative version"] = BadCall.State("state.version", call => call.State.Version = -1),
        ["negative expected version"] = BadCall.State("expected_version", call => call.ExpectedVersion = -1),
        ["get no state"] = BadCall.GetState("request_id", new GetModuleStateRequest()),
        ["states of a bad agent"] = BadCall.ListStates("agent_id", new ListModuleStatesRequest { AgentId = ControlCharacter }),
        ["states of a bad module"] = BadCall.ListStates("module_name", new ListModuleStatesRequest { ModuleName = TooLong }),
        ["states page too large"] = BadCall.ListStates("page_size", new ListModuleStatesRequest { PageSize = 10_001 }),
        ["states bad page token"] = BadCall.ListStates("page_token", new ListModuleStatesRequest { PageToken = "AAAA" }),

        ["no result"] = BadCall.Result("result", call => call.Result = null),
        ["result without id"] = BadCall.Result("result.id", call => call.Result.Id = string.Empty),
        ["result without agent"] = BadCall.Result("result.agent_id", call => call.Result.AgentId = string.Empty),
        ["result module too long"] = BadCall.Result("result.module_name", call => call.Result.ModuleName = TooLong),
        ["result too large"] = BadCall.Result("result.data", call => call.Result.Data = TooLarge),
        ["result before 1970"] = BadCall.Result("result.timestamp", call => call.Result.Timestamp = long.MinValue),
        ["result received beyond 9999"] = BadCall.Result("result.received_at", call => call.Result.ReceivedAt = long.MaxValue),
        ["result agent start before 1970"] = BadCall.Result("result.agent_start_time", call => call.Result.AgentStartTime = -1),
        ["get result of no agent"] = BadCall.GetResult("agent_id", new GetResultRequest { RequestId = "request-1" }),
        ["get no result"] = BadCall.GetResult("request_id", new GetResultRequest { AgentId = Requests.Agent }),
        ["results of no agent"] = BadCall.ListResults("agent_id", new ListResultsRequest()),
        ["results page too small"] = BadCall.ListResults("page_size", new ListResultsRequest { AgentId = Requests.Agent, PageSize = -1 }),

        ["no task"] = BadCall.Task("task", call => call.Task = null),
        ["task without id"] = BadCall.Task("task.id", call => call.Task.Id = string.Empty),
        ["task agent with control character"] = BadCall.Task("task.agent_id", call => call.Task.AgentId = ControlCharacter),
        ["task module too long"] = BadCall.Task("task.module_name", call => call.Task.ModuleName = TooLong),
        ["task too large"] = BadCall.Task("task.payload", call => call.Task.Payload = TooLarge),
        ["task scheduled before 1970"] = BadCall.Task("task.scheduled_at", call => call.Task.ScheduledAt = -1),
        ["task created beyond 9999"] = BadCall.Task("task.created_at", call => call.Task.CreatedAt = BeyondYear9999),
        ["task visible beyond 9999"] = BadCall.Task("task.visibility_time", call => call.Task.VisibilityTime = BeyondYear9999),
        ["unknown task status"] = BadCall.Task("task.status", call => call.Task.Status = "done"),
        ["task born inflight"] = BadCall.Task("task.status", call => call.Task.Status = "inflight"),
        ["negative retries"] = BadCall.Task("task.retry_count", call => call.Task.RetryCount = -1),
        ["too many retries"] = BadCall.Task("task.max_retries", call => call.Task.MaxRetries = 1_001),
        ["get no task"] = BadCall.GetTask("task_id", new GetTaskRequest()),
        ["due before 1970"] = BadCall.Take("timestamp", new ListDueTasksRequest { Timestamp = -1 }),
        ["due beyond 9999"] = BadCall.Take("timestamp", new ListDueTasksRequest { Timestamp = BeyondYear9999 }),
        ["negative limit of tasks"] = BadCall.Take("limit", new ListDueTasksRequest { Limit = -1 }),
        ["too many tasks"] = BadCall.Take("limit", new ListDueTasksRequest { Limit = 1_001 }),
        ["negative lease"] = BadCall.Take("visibility_timeout_seconds", new ListDueTasksRequest { VisibilityTimeoutSeconds = -1 }),
        ["lease above 12 hours"] = BadCall.Take("visibility_timeout_seconds", new ListDueTasksRequest { VisibilityTimeoutSeconds = 43_201 }),
        ["ack of no task"] = BadCall.Ack("task_id", new AckTaskRequest()),
        ["ack with negative token"] = BadCall.Ack("lease_token", new AckTaskRequest { TaskId = "task-1", LeaseToken = -1 }),
        ["nack of no task"] = BadCall.Nack("task_id", new NackTaskRequest()),
        ["negative delay"] = BadCall.Nack("retry_delay_seconds", new NackTaskRequest { TaskId = "task-1", RetryDelaySeconds = -1 }),
        ["delay above 30 days"] = BadCall.Nack("retry_delay_seconds", new NackTaskRequest { TaskId = "task-1", RetryDelaySeconds = 2_592_001 }),
        ["nack with negative token"] = BadCall.Nack("lease_token", new NackTaskRequest { TaskId = "task-1", LeaseToken = -1 }),
        ["reason too long"] = BadCall.Nack("reason", new NackTaskRequest { TaskId = "task-1", Reason = new string('x', 4_097) }),

        ["negative limit of events"] = BadCall.GetEvents("limit", new GetEventsRequest { Limit = -1 }),
        ["too many events"] = BadCall.GetEvents("limit", new GetEventsRequest { Limit = 10_001 }),
    };
}
