using System.Text;
using Dbos.Application.Agents;
using Dbos.Application.ModuleStates;
using Dbos.Application.Results;
using Dbos.Application.Tasks;
using Dbos.Domain.Agents;
using Dbos.Domain.Results;

namespace Dbos.Infrastructure.Tests.Store;

/// <summary>Commands as callers send them, of which a test says only what it is about.</summary>
internal static class Given
{
    public const long LongAgo = 1_500_000_000;

    public static RegisterAgent Heartbeat(
        string agentId = "a1",
        string hostname = "host-1",
        bool alive = true,
        IReadOnlyDictionary<string, string>? config = null,
        int total = 7) =>
        new(new Heartbeat(
            agentId, hostname, alive, LongAgo + total - 2, LongAgo, ConfigValues.Of(config ?? new Dictionary<string, string> { ["key"] = "value" }), total));

    /// <param name="requestId">Empty: the module's own life.</param>
    public static SetModuleState State(
        string requestId = "r1", string state = "running", string agentId = "a1", string moduleName = "ping", long timestamp = LongAgo) =>
        new(new StateReport(agentId, moduleName, state, string.Empty, new Dictionary<string, string>(), timestamp, requestId, Version: 0), ExpectedVersion: null);

    public static StoreResult Result(string id = "r1", string agentId = "a1", string data = """{"rtt":1}""") =>
        Result(id, agentId, Encoding.UTF8.GetBytes(data));

    public static StoreResult Result(string id, string agentId, byte[] data) =>
        new(new MeasurementResult(id, agentId, "unknown", data, LongAgo, 0, 0, string.Empty, string.Empty, string.Empty, string.Empty));

    public static ScheduleTask Task(
        string id = "t1",
        long scheduledAt = LongAgo,
        int maxRetries = 0,
        string payload = "work",
        string agentId = "a1",
        string moduleName = "ping",
        int priority = 0) =>
        new(new NewTask(
            id, agentId, moduleName, Encoding.UTF8.GetBytes(payload), scheduledAt, LongAgo - 5, string.Empty, 0, 0, maxRetries, Priority: priority));

    /// <param name="limit">0: the default.</param>
    /// <param name="seconds">Of the lease; 0: the default.</param>
    public static ListDueTasks Due(string agentId = "", string moduleName = "", int limit = 0, long seconds = 0) =>
        new(new TaskFilter(agentId, moduleName), Timestamp: 0, limit, seconds);

    public static NackTask Nack(long delaySeconds = 0, long token = 1, string reason = "no route", string id = "t1") =>
        new(id, delaySeconds, RetryAtOnce: delaySeconds == 0, token, reason);

    /// <summary>Of t1, with a result and a state.</summary>
    public static AckTask AckWith(long token, string agentId = "a1", string module = "ping", string state = "completed", string data = """{"rtt":1}""") =>
        new("t1", token, Result(string.Empty, agentId, data).Result, StateOf(state, module));

    /// <summary>As it comes with an ack or a nack: of the task's agent and id.</summary>
    public static StateReport StateOf(string state, string module = "ping") =>
        new(string.Empty, module, state, string.Empty, new Dictionary<string, string>(), LongAgo, string.Empty, Version: 0);

    public static bool Matches(this TaskFilter filter, string agentId, string moduleName) =>
        (filter.AgentId.Length == 0 || filter.AgentId == agentId) && (filter.ModuleName.Length == 0 || filter.ModuleName == moduleName);
}
