using Dbos.Wire;
using Google.Protobuf;
using Grpc.Core;
using Task = System.Threading.Tasks.Task;

namespace Dbos.Benchmarks.Writes;

/// <summary>A call that writes, made again and again with ids of its own.</summary>
/// <param name="InSequence">Calls that belong together and follow each other.</param>
/// <param name="Call">Gets a client, the name of the round and the number of the call.</param>
internal sealed record Write(string Name, int InSequence, Func<DBOS.DBOSClient, string, int, Task> Call)
{
    private static readonly string[] States = ["created", "started", "running", "completed"];

    public static readonly Write StoreResult = new("StoreResult", 1, Store);

    public static readonly Write ScheduleTask = new("ScheduleTask", 1, Schedule);

    /// <summary>The whole life of a request.</summary>
    public static readonly Write SetModuleState = new("SetModuleState", States.Length, SetState);

    private const int Agents = 20;

    private static readonly ByteString Data = ByteString.CopyFromUtf8(
        """{"target":"192.0.2.17","sent":10,"received":10,"rtt_ms":[12.1,12.4,11.9,12.0,12.6,12.2,12.3,12.1,12.0,12.5],"loss":0.0}""");

    /// <summary>True: the server answers this call as it should.</summary>
    public async Task<bool> IsAnswered(DBOS.DBOSClient client)
    {
        try
        {
            await Call(client, Guid.NewGuid().ToString("N"), 0);
            return true;
        }
        catch (RpcException)
        {
            return false;
        }
    }

    private static async Task Store(DBOS.DBOSClient client, string round, int i)
    {
        var answer = await client.StoreResultAsync(new StoreResultRequest
        {
            Result = new MeasurementResult { Id = $"{round}-{i}", AgentId = AgentOf(i), ModuleName = "unknown", Data = Data, Timestamp = 1_700_000_000 },
        });
        Demand(answer.Success && !answer.Duplicate, answer.Error);
    }

    private static async Task Schedule(DBOS.DBOSClient client, string round, int i)
    {
        var answer = await client.ScheduleTaskAsync(new ScheduleTaskRequest
        {
            Task = new Wire.Task { Id = $"{round}-{i}", AgentId = AgentOf(i), ModuleName = "ping", Payload = Data, ScheduledAt = 1_700_000_000 },
        });
        Demand(answer.Success && !answer.Duplicate, answer.Error);
    }

    private static async Task SetState(DBOS.DBOSClient client, string round, int i)
    {
        var (request, step) = Math.DivRem(i, States.Length);
        var answer = await client.SetModuleStateAsync(new SetModuleStateRequest
        {
            State = new ModuleState
            {
                RequestId = $"{round}-{request}", AgentId = AgentOf(request), ModuleName = "ping", State = States[step], Timestamp = 1_700_000_000 + step,
            },
        });
        Demand(answer.Success && !answer.Duplicate && answer.Version == step + 1, answer.Error);
    }

    private static string AgentOf(int i) => $"agent-{i % Agents}";

    private static void Demand(bool asExpected, string error)
    {
        if (!asExpected)
        {
            throw new InvalidOperationException($"A call was not answered as a new write: {error}");
        }
    }
}
