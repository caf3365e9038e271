using Google.Protobuf;

namespace Dbos.Api.Tests.Support;

/// <summary>Well-formed requests, each about an id of the test's own.</summary>
public static class Requests
{
    public const string Agent = "agent-1";
    public const string Module = "ping";

    public static string NewId(string kind) => $"{kind}-{Guid.NewGuid():n}";

    public static RegisterAgentRequest Heartbeat(string agentId) => new()
    {
        Agent = new Agent { Id = agentId, Hostname = "host-1", Alive = true, TotalHeartbeats = 1 },
    };

    public static StoreResultRequest Result(string id, string agentId = Agent, string data = "{}") => new()
    {
        Result = new MeasurementResult
        {
            Id = id,
            AgentId = agentId,
            ModuleName = "unknown",
            Data = ByteString.CopyFromUtf8(data),
            Timestamp = 1_700_000_000,
        },
    };

    public static SetModuleStateRequest State(string requestId, string state = "running", long timestamp = 1_700_000_000) => new()
    {
        State = new ModuleState
        {
            AgentId = Agent,
            ModuleName = Module,
            RequestId = requestId,
            State = state,
            Timestamp = timestamp,
        },
    };

    public static ScheduleTaskRequest Schedule(string id, long scheduledAt = 0) => new() { Task = Task(id, scheduledAt: scheduledAt) };

    public static WireTask Task(string id, string agentId = Agent, long scheduledAt = 0) => new()
    {
        Id = id,
        AgentId = agentId,
        ModuleName = Module,
        Payload = ByteString.CopyFromUtf8("{}"),
        ScheduledAt = scheduledAt,
    };
}
