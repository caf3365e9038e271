using Grpc.Core;

namespace Dbos.Api.Tests.Support;

/// <summary>Parallel writers of unique ids, each writing until it is cut off or stopped, and what became of every write.</summary>
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
    private volatile bool isStopping;

    private WriteLoad(DBOS.DBOSClient[] clients) => writers = Run(clients);

    public static WriteLoad Start(Deployment dbos) => new(dbos.Connect(Writers));

    public int Acknowledged => Volatile.Read(ref acknowledged);

    public Task WaitUntilAcknowledged(int writes) =>
        Eventually.True(() => Acknowledged >= writes, TimeSpan.FromSeconds(30), $"{writes} writes are acknowledged");

    /// <summary>Every write that was tried, once all writers are cut off.</summary>
    public Task<Write[]> Outcome() => writers.WaitAsync(TimeSpan.FromSeconds(30));

    /// <summary>Lets every writer end what it is at. None should have been cut off before.</summary>
    public Task<Write[]> Stop()
    {
        isStopping = true;
        return Outcome();
    }

    private async Task<Write[]> Write(Kind kind, DBOS.DBOSClient client)
    {
        var written = new List<Write>();
        while (!isStopping)
        {
            var id = Requests.NewId("load");
            try
            {
                var success = await kind.Send(client, id);
                success.Should().BeTrue("a well-formed write of a new id is not refused");
                written.Add(new Write(kind, id));
                Interlocked.Increment(ref acknowledged);
            }
            catch (RpcException cutOff)
            {
                written.Add(new Write(kind, id, cutOff.Status));
                break;
            }
        }

        return [.. written];
    }

    private async Task<Write[]> Run(DBOS.DBOSClient[] clients)
    {
        var all = await Task.WhenAll(clients.Select((client, writer) => Write(Kinds[writer % Kinds.Length], client)));
        return [.. all.SelectMany(writes => writes)];
    }
}

/// <summary>One kind of write: the event that tells of it, how it is sent, how it is found.</summary>
public sealed record Kind(
    string EventType,
    string EventIdName,
    Func<DBOS.DBOSClient, string, Task<bool>> Send,
    Func<DBOS.DBOSClient, string, Task<bool>> IsStored);

/// <param name="Failure">Null: it was acknowledged.</param>
public sealed record Write(Kind Kind, string Id, Status? Failure = null)
{
    public bool Acknowledged => Failure is null;
}
