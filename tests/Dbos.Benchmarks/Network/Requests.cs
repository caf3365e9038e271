using System.Collections.Concurrent;
using System.Diagnostics;
using Dbos.Wire;
using Google.Protobuf;
using Task = System.Threading.Tasks.Task;

namespace Dbos.Benchmarks.Network;

/// <summary>
/// The measurement requests of a network: ScheduleTask, then, for each taken task, SetModuleState(running), StoreResult,
/// SetModuleState(completed) and AckTask.
/// </summary>
internal sealed class Requests(DBOS.DBOSClient client, int agents, Failures failures)
{
    private const int Limit = 100;

    /// <summary>Callers of ListDueTasks poll, as the call does not wait.</summary>
    private static readonly TimeSpan BetweenTakes = TimeSpan.FromMilliseconds(100);

    private static readonly ByteString Payload = ByteString.CopyFrom(new byte[119]);
    private static readonly ByteString Result = ByteString.CopyFrom(new byte[375]);

    private readonly string run = Guid.NewGuid().ToString("N")[..23];

    /// <summary>Milliseconds of each AckTask.</summary>
    public ConcurrentQueue<double> Acknowledgements { get; } = [];

    public Task Schedule(int number) => failures.Catch(async () =>
    {
        var answer = await client.ScheduleTaskAsync(new ScheduleTaskRequest
        {
            Task = new Wire.Task { Id = $"{run}-{number:D12}", AgentId = Agents.IdOf(number % agents), ModuleName = "ping", Payload = Payload },
        });
        Demand(answer.Success, answer.Error);
    });

    /// <summary>Takes and completes tasks.</summary>
    /// <returns>After <paramref name="stop"/>, when every taken task is completed.</returns>
    public async Task Process(CancellationToken stop)
    {
        var tasks = new List<Task>();
        while (!stop.IsCancellationRequested)
        {
            var before = tasks.Count;
            await failures.Catch(async () => tasks.AddRange((await Take()).Select(task => failures.Catch(() => Complete(task)))));
            if (tasks.Count < before + Limit)
            {
                await Task.Delay(BetweenTakes, CancellationToken.None);
            }
        }

        await Task.WhenAll(tasks);
    }

    private async Task<IReadOnlyList<Wire.Task>> Take()
    {
        var taken = await client.ListDueTasksAsync(new ListDueTasksRequest { Limit = Limit });
        Demand(taken.Code == ErrorCode.None, taken.Error);
        return taken.Tasks;
    }

    private async Task Complete(Wire.Task task)
    {
        await SetState(task, "running");
        var stored = await client.StoreResultAsync(new StoreResultRequest
        {
            Result = new MeasurementResult { Id = task.Id, AgentId = task.AgentId, ModuleName = "unknown", Data = Result, Timestamp = Now() },
        });
        Demand(stored.Success, stored.Error);
        await SetState(task, "completed");

        var since = Stopwatch.GetTimestamp();
        var acknowledged = await client.AckTaskAsync(new AckTaskRequest { TaskId = task.Id, LeaseToken = task.LeaseToken });
        Acknowledgements.Enqueue(Stopwatch.GetElapsedTime(since).TotalMilliseconds);
        Demand(acknowledged.Success, acknowledged.Error);
    }

    private async Task SetState(Wire.Task task, string state)
    {
        var answer = await client.SetModuleStateAsync(new SetModuleStateRequest
        {
            State = new ModuleState { RequestId = task.Id, AgentId = task.AgentId, ModuleName = task.ModuleName, State = state, Timestamp = Now() },
        });
        Demand(answer.Success, answer.Error);
    }

    private static long Now() => DateTimeOffset.UtcNow.ToUnixTimeSeconds();

    private static void Demand(bool asExpected, string error)
    {
        if (!asExpected)
        {
            throw new InvalidOperationException($"A call of a request was refused: {error}");
        }
    }
}
