namespace Dbos.Api.Tests.Support;

/// <summary>One kind of write: the event that tells of it, how it is sent, how it is found.</summary>
public sealed record Kind(
    string EventType,
    string EventIdName,
    Func<DBOS.DBOSClient, string, Task<bool>> Send,
    Func<DBOS.DBOSClient, string, Task<bool>> IsStored)
{
    /// <summary>Each is one call.</summary>
    public static readonly IReadOnlyList<Kind> Creations =
    [
        new(
            "result_stored",
            "request_id",
            async (client, id) => (await client.StoreResultAsync(Requests.Result(id))).Success,
            async (client, id) => (await client.GetResultAsync(new GetResultRequest { AgentId = Requests.Agent, RequestId = id })).Found),
        new(
            "module_state_updated",
            "request_id",
            async (client, id) => (await client.SetModuleStateAsync(Requests.State(id))).Success,
            async (client, id) => (await client.GetModuleStateAsync(new GetModuleStateRequest { RequestId = id })).Found),
        new(
            "task_scheduled",
            "task_id",
            async (client, id) => (await client.ScheduleTaskAsync(Requests.Schedule(id))).Success,
            async (client, id) => (await client.GetTaskAsync(new GetTaskRequest { TaskId = id })).Found),
    ];

    /// <summary>Agents, and tasks that are given out and acknowledged, too.</summary>
    public static readonly IReadOnlyList<Kind> All =
    [
        .. Creations,
        new(
            "agent_registered",
            "agent_id",
            async (client, id) => (await client.RegisterAgentAsync(Requests.Heartbeat(id))).Success,
            async (client, id) => (await client.GetAgentAsync(new GetAgentRequest { AgentId = id })).Found),
        new(
            "task_acknowledged",
            "task_id",
            async (client, id) =>
            {
                await client.ScheduleTaskAsync(new ScheduleTaskRequest { Task = Requests.Task(id, agentId: id) });
                await client.ListDueTasksAsync(new ListDueTasksRequest { AgentId = id });
                return (await client.AckTaskAsync(new AckTaskRequest { TaskId = id })).Success;
            },
            async (client, id) => (await client.GetTaskAsync(new GetTaskRequest { TaskId = id })).Task?.Status == "completed"),
    ];
}
