using Dbos.Api.Tests.Support;
using Grpc.Core;

namespace Dbos.Api.Tests.Outages;

/// <summary>A well-formed call of each kind, each to be answered when the store is there.</summary>
public static class EveryCall
{
    private static readonly Func<DBOS.DBOSClient, Task>[] All =
    [
        client => client.RegisterAgentAsync(Requests.Heartbeat(Requests.Agent)).ResponseAsync,
        client => client.GetAgentAsync(new GetAgentRequest { AgentId = Requests.Agent }).ResponseAsync,
        client => client.ListAgentsAsync(new ListAgentsRequest()).ResponseAsync,
        client => client.ListAgentsAsync(new ListAgentsRequest { Filter = AgentFilter.Lost }).ResponseAsync,
        client => client.GetAgentHistoryAsync(new GetAgentHistoryRequest { AgentId = Requests.Agent }).ResponseAsync,
        client => client.SetModuleStateAsync(Requests.State("request-1")).ResponseAsync,
        client => client.GetModuleStateAsync(new GetModuleStateRequest { RequestId = "request-1" }).ResponseAsync,
        client => client.ListModuleStatesAsync(new ListModuleStatesRequest()).ResponseAsync,
        client => client.StoreResultAsync(Requests.Result("request-1")).ResponseAsync,
        client => client.GetResultAsync(new GetResultRequest { AgentId = Requests.Agent, RequestId = "request-1" }).ResponseAsync,
        client => client.ListResultsAsync(new ListResultsRequest { AgentId = Requests.Agent }).ResponseAsync,
        client => client.ScheduleTaskAsync(Requests.Schedule("task-1")).ResponseAsync,
        client => client.GetTaskAsync(new GetTaskRequest { TaskId = "task-1" }).ResponseAsync,
        client => client.ListDueTasksAsync(new ListDueTasksRequest()).ResponseAsync,
        client => client.AckTaskAsync(new AckTaskRequest { TaskId = "task-1" }).ResponseAsync,
        client => client.NackTaskAsync(new NackTaskRequest { TaskId = "task-1" }).ResponseAsync,
        client => client.ScheduleTasksAsync(new ScheduleTasksRequest { Tasks = { Requests.Task("task-1"), Requests.Task("task-2") } }).ResponseAsync,
        client => client.AckTasksAsync(new AckTasksRequest { Acks = { new AckTaskRequest { TaskId = "task-1" } } }).ResponseAsync,
        client => client.ExtendTaskLeaseAsync(new ExtendTaskLeaseRequest { TaskId = "task-1", LeaseToken = 1 }).ResponseAsync,
        client => client.CancelTaskAsync(new CancelTaskRequest { TaskId = "task-3" }).ResponseAsync,
        client => client.ListTasksAsync(new ListTasksRequest()).ResponseAsync,
        client => client.ListDeadLetterTasksAsync(new ListDeadLetterTasksRequest()).ResponseAsync,
        client => client.RequeueDeadLetterTasksAsync(new RequeueDeadLetterTasksRequest { TaskIds = { "task-1" } }).ResponseAsync,
        client => client.RequeueDeadLetterTasksAsync(new RequeueDeadLetterTasksRequest { All = true }).ResponseAsync,
        client => client.DeleteDeadLetterTaskAsync(new DeleteDeadLetterTaskRequest { TaskId = "task-1" }).ResponseAsync,
        client => client.GetQueueStatsAsync(new GetQueueStatsRequest()).ResponseAsync,
        CheckConsistency,
        client => client.GetEventsAsync(new GetEventsRequest()).ResponseAsync,
        client => First(client.WatchEvents(new WatchEventsRequest())),
        client => First(client.WatchAgents(new WatchAgentsRequest())),
        client => client.GetRequestTimelineAsync(new GetRequestTimelineRequest { RequestId = "request-1" }).ResponseAsync,
    ];

    /// <summary>All of them at once.</summary>
    /// <returns>How each failed; null: it was answered.</returns>
    public static Task<RpcException?[]> Send(DBOS.DBOSClient client) => Task.WhenAll(All.Select(call => FailureOf(client, call)));

    /// <summary>One store of a result by each client at once.</summary>
    public static Task<RpcException?[]> StoreResults(IEnumerable<DBOS.DBOSClient> clients) =>
        Task.WhenAll(clients.Select(client => FailureOf(
            client, each => each.StoreResultAsync(Requests.Result(Requests.NewId("request"))).ResponseAsync)));

    private static async Task CheckConsistency(DBOS.DBOSClient client)
    {
        using var call = client.CheckConsistency(new CheckConsistencyRequest());
        while (await call.Next())
        {
            call.ResponseStream.Current.Error.Should().BeEmpty();
        }
    }

    /// <summary>A stream that has no end of its own is answered with its first reply.</summary>
    private static async Task First<TReply>(AsyncServerStreamingCall<TReply> call)
    {
        using (call)
        {
            (await call.Next()).Should().BeTrue();
        }
    }

    private static async Task<RpcException?> FailureOf(DBOS.DBOSClient client, Func<DBOS.DBOSClient, Task> call)
    {
        try
        {
            await call(client);
            return null;
        }
        catch (RpcException failure)
        {
            return failure;
        }
    }
}
