using Dbos.Api.Tests.Support;
using Google.Protobuf;
using Grpc.Core;

namespace Dbos.Api.Tests.BadInput;

/// <summary>A call that is well-formed but for one field.</summary>
/// <param name="EventType">Of the event of the refusal; empty: a refused read is no event.</param>
public sealed record BadCall(string Field, string EventType, Func<DBOS.DBOSClient, Task<Refusal>> Send)
{
    private const string NoEvent = "";

    public static BadCall Heartbeat(string field, Action<RegisterAgentRequest> spoil) =>
        Of(field, "agent_register_error", client => client.RegisterAgentAsync(Spoilt(Requests.Heartbeat(Requests.Agent), spoil)));

    public static BadCall State(string field, Action<SetModuleStateRequest> spoil) =>
        Of(field, "module_state_error", client => client.SetModuleStateAsync(Spoilt(Requests.State("request-1"), spoil)));

    public static BadCall Result(string field, Action<StoreResultRequest> spoil) =>
        Of(field, "result_store_error", client => client.StoreResultAsync(Spoilt(Requests.Result("request-1"), spoil)));

    public static BadCall Task(string field, Action<ScheduleTaskRequest> spoil) =>
        Of(field, "task_schedule_error", client => client.ScheduleTaskAsync(Spoilt(Requests.Schedule("task-1"), spoil)));

    public static BadCall GetAgent(string field, GetAgentRequest request) =>
        Of(field, NoEvent, client => client.GetAgentAsync(request));

    public static BadCall GetState(string field, GetModuleStateRequest request) =>
        Of(field, NoEvent, client => client.GetModuleStateAsync(request));

    public static BadCall GetResult(string field, GetResultRequest request) =>
        Of(field, NoEvent, client => client.GetResultAsync(request));

    public static BadCall GetTask(string field, GetTaskRequest request) =>
        Of(field, NoEvent, client => client.GetTaskAsync(request));

    public static BadCall GetEvents(string field, GetEventsRequest request) =>
        Of(field, NoEvent, client => client.GetEventsAsync(request));

    public static BadCall GetHistory(string field, GetAgentHistoryRequest request) =>
        Of(field, NoEvent, client => client.GetAgentHistoryAsync(request));

    public static BadCall GetTimeline(string field, GetRequestTimelineRequest request) =>
        Of(field, NoEvent, client => client.GetRequestTimelineAsync(request));

    public static BadCall ListAgents(string field, ListAgentsRequest request) =>
        Of(field, NoEvent, client => client.ListAgentsAsync(request));

    public static BadCall ListStates(string field, ListModuleStatesRequest request) =>
        Of(field, NoEvent, client => client.ListModuleStatesAsync(request));

    public static BadCall ListResults(string field, ListResultsRequest request) =>
        Of(field, NoEvent, client => client.ListResultsAsync(request));

    public static BadCall Take(string field, ListDueTasksRequest request) =>
        Of(field, "task_list_error", client => client.ListDueTasksAsync(request));

    public static BadCall Ack(string field, AckTaskRequest request) =>
        Of(field, "task_ack_error", client => client.AckTaskAsync(request));

    public static BadCall Nack(string field, NackTaskRequest request) =>
        Of(field, "task_nack_error", client => client.NackTaskAsync(request));

    public static BadCall List(string field, ListTasksRequest request) =>
        Of(field, NoEvent, client => client.ListTasksAsync(request));

    public static BadCall ListDead(string field, ListDeadLetterTasksRequest request) =>
        Of(field, NoEvent, client => client.ListDeadLetterTasksAsync(request));

    public static BadCall Extend(string field, ExtendTaskLeaseRequest request) =>
        Of(field, "task_extend_error", client => client.ExtendTaskLeaseAsync(request));

    public static BadCall Cancel(string field, CancelTaskRequest request) =>
        Of(field, "task_cancel_error", client => client.CancelTaskAsync(request));

    public static BadCall Requeue(string field, RequeueDeadLetterTasksRequest request) =>
        Of(field, "task_requeue_error", client => client.RequeueDeadLetterTasksAsync(request));

    public static BadCall Delete(string field, DeleteDeadLetterTaskRequest request) =>
        Of(field, "task_delete_error", client => client.DeleteDeadLetterTaskAsync(request));

    public static BadCall ScheduleMany(string field, int count) =>
        Of(field, "task_schedule_error", client => client.ScheduleTasksAsync(
            new ScheduleTasksRequest { Tasks = { Enumerable.Range(0, count).Select(i => Requests.Task($"task-{i}")) } }));

    public static BadCall AckMany(string field, int count) =>
        Of(field, "task_ack_error", client => client.AckTasksAsync(
            new AckTasksRequest { Acks = { Enumerable.Range(0, count).Select(i => new AckTaskRequest { TaskId = $"task-{i}" }) } }));

    public static BadCall Stream(string field, StreamDueTasksRequest request) =>
        OfStream(field, "task_list_error", client => client.StreamDueTasks(request));

    public static BadCall Watch(string field, WatchEventsRequest request) =>
        OfStream(field, NoEvent, client => client.WatchEvents(request));

    private static BadCall OfStream<TReply>(
        string field, string eventType, Func<DBOS.DBOSClient, AsyncServerStreamingCall<TReply>> open)
        where TReply : IMessage => new(field, eventType, async client =>
    {
        using var call = open(client);
        (await call.Next()).Should().BeTrue("the refusal is a reply");
        var refusal = Refusal.In(call.ResponseStream.Current);
        (await call.Next()).Should().BeFalse("a refusal is the only reply");
        return refusal;
    });

    private static BadCall Of<TReply>(string field, string eventType, Func<DBOS.DBOSClient, AsyncUnaryCall<TReply>> call)
        where TReply : IMessage =>
        new(field, eventType, async client => Refusal.In(await call(client)));

    private static T Spoilt<T>(T request, Action<T> spoil)
    {
        spoil(request);
        return request;
    }
}

/// <summary>What every reply says of a refusal, by the same names.</summary>
public sealed record Refusal(bool Accepted, string Error, ErrorCode Code)
{
    public static Refusal In(IMessage reply)
    {
        var error = (string)Value("error")!;
        var accepted = Value("success") ?? Value("found") ?? (error.Length == 0);
        return new Refusal((bool)accepted, error, (ErrorCode)Value("code")!);

        object? Value(string field) => reply.Descriptor.FindFieldByName(field)?.Accessor.GetValue(reply);
    }
}
