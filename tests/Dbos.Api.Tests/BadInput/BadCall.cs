using Dbos.Api.Tests.Support;

namespace Dbos.Api.Tests.BadInput;

/// <summary>What every reply says of a refusal.</summary>
public sealed record Refusal(bool Accepted, string Error, ErrorCode Code);

/// <summary>A call that is well-formed but for one field.</summary>
public sealed record BadCall(string Field, string EventType, Func<DBOS.DBOSClient, Task<Refusal>> Send)
{
    public static BadCall Heartbeat(string field, Action<RegisterAgentRequest> spoil) => new(field, "agent_register_error", async client =>
    {
        var reply = await client.RegisterAgentAsync(Spoilt(Requests.Heartbeat(Requests.Agent), spoil));
        return new Refusal(reply.Success, reply.Error, reply.Code);
    });

    public static BadCall State(string field, Action<SetModuleStateRequest> spoil) => new(field, "module_state_error", async client =>
    {
        var reply = await client.SetModuleStateAsync(Spoilt(Requests.State("request-1"), spoil));
        return new Refusal(reply.Success, reply.Error, reply.Code);
    });

    public static BadCall Result(string field, Action<StoreResultRequest> spoil) => new(field, "result_store_error", async client =>
    {
        var reply = await client.StoreResultAsync(Spoilt(Requests.Result("request-1"), spoil));
        return new Refusal(reply.Success, reply.Error, reply.Code);
    });

    public static BadCall Task(string field, Action<ScheduleTaskRequest> spoil) => new(field, "task_schedule_error", async client =>
    {
        var reply = await client.ScheduleTaskAsync(Spoilt(Requests.Schedule("task-1"), spoil));
        return new Refusal(reply.Success, reply.Error, reply.Code);
    });

    public static BadCall Take(string field, ListDueTasksRequest request) => new(field, "task_list_error", async client =>
    {
        var reply = await client.ListDueTasksAsync(request);
        return new Refusal(reply.Error.Length == 0, reply.Error, reply.Code);
    });

    public static BadCall Ack(string field, AckTaskRequest request) => new(field, "task_ack_error", async client =>
    {
        var reply = await client.AckTaskAsync(request);
        return new Refusal(reply.Success, reply.Error, reply.Code);
    });

    public static BadCall Nack(string field, NackTaskRequest request) => new(field, "task_nack_error", async client =>
    {
        var reply = await client.NackTaskAsync(request);
        return new Refusal(reply.Success, reply.Error, reply.Code);
    });

    public static BadCall GetAgent(string field, GetAgentRequest request) => new(field, "agent_read_error", async client =>
    {
        var reply = await client.GetAgentAsync(request);
        return new Refusal(reply.Found, reply.Error, reply.Code);
    });

    public static BadCall GetState(string field, GetModuleStateRequest request) => new(field, "module_state_read_error", async client =>
    {
        var reply = await client.GetModuleStateAsync(request);
        return new Refusal(reply.Found, reply.Error, reply.Code);
    });

    public static BadCall GetResult(string field, GetResultRequest request) => new(field, "result_read_error", async client =>
    {
        var reply = await client.GetResultAsync(request);
        return new Refusal(reply.Found, reply.Error, reply.Code);
    });

    public static BadCall GetTask(string field, GetTaskRequest request) => new(field, "task_read_error", async client =>
    {
        var reply = await client.GetTaskAsync(request);
        return new Refusal(reply.Found, reply.Error, reply.Code);
    });

    public static BadCall ListAgents(string field, ListAgentsRequest request) => new(field, "agent_list_error", async client =>
    {
        var reply = await client.ListAgentsAsync(request);
        return new Refusal(reply.Error.Length == 0, reply.Error, reply.Code);
    });

    public static BadCall ListStates(string field, ListModuleStatesRequest request) => new(field, "module_state_list_error", async client =>
    {
        var reply = await client.ListModuleStatesAsync(request);
        return new Refusal(reply.Error.Length == 0, reply.Error, reply.Code);
    });

    public static BadCall ListResults(string field, ListResultsRequest request) => new(field, "result_list_error", async client =>
    {
        var reply = await client.ListResultsAsync(request);
        return new Refusal(reply.Error.Length == 0, reply.Error, reply.Code);
    });

    public static BadCall GetEvents(string field, GetEventsRequest request) => new(field, "event_read_error", async client =>
    {
        var reply = await client.GetEventsAsync(request);
        return new Refusal(reply.Error.Length == 0, reply.Error, reply.Code);
    });

    private static T Spoilt<T>(T request, Action<T> spoil)
    {
        spoil(request);
        return request;
    }
}
