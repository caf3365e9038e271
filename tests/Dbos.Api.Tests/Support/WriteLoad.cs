using Grpc.Core;

namespace Dbos.Api.Tests.Support;

/// <summary>Parallel writers of unique ids, each writing until it is cut off, and what became of every write.</summary>
public sealed class WriteLoad
{
    private const int Writers = 12;

    private static readonly Kind[] Kinds =
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

    private readonly Task<Write[]> writers;
    private int acknowledged;

    private WriteLoad(DBOS.DBOSClient[] clients) => writers = Run(clients);

    public static WriteLoad Start(Deployment dbos) => new(dbos.Connect(Writers));

    public Task WaitUntilAcknowledged(int writes) =>
        Eventually.True(() => Volatile.Read(ref acknowledged) >= writes, TimeSpan.FromSeconds(30), $"{writes} writes are acknowledged");

    /// <summary>Every write that was tried, once all writers are cut off.</summary>
    public Task<Write[]> Outcome() => writers.WaitAsync(TimeSpan.FromSeconds(30));

    private static async Task<Write[]> Write(Kind kind, DBOS.DBOSClient client, Action tellAcknowledged)
    {
        var written = new List<Write>();
        while (true)
        {
            var id = Requests.NewId("load");
            try
            {
                var success = await kind.Send(client, id);
                success.Should().BeTrue("a well-formed write of a new id is not refused");
                written.Add(new Write(kind, id, Acknowledged: true));
                tellAcknowledged();
            }
            catch (RpcException)
            {
                written.Add(new Write(kind, id, Acknowledged: false));
                return [.. written];
            }
        }
    }

    private async Task<Write[]> Run(DBOS.DBOSClient[] clients)
    {
        var all = await Task.WhenAll(clients.Select((client, writer) =>
            Write(Kinds[writer % Kinds.Length], client, () => Interlocked.Increment(ref acknowledged))));
        return [.. all.SelectMany(writes => writes)];
    }
}

/// <summary>One kind of write: the event that tells of it, how it is sent, how it is found.</summary>
public sealed record Kind(
    string EventType,
    string EventIdName,
    Func<DBOS.DBOSClient, string, Task<bool>> Send,
    Func<DBOS.DBOSClient, string, Task<bool>> IsStored);

public sealed record Write(Kind Kind, string Id, bool Acknowledged);
