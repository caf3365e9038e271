using System.Diagnostics;
using Dbos.Testing;
using Dbos.Wire;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Task = System.Threading.Tasks.Task;

namespace Dbos.Benchmarks.Queue;

/// <summary>Whole loads of tasks through the gRPC of DBOS or of a server like it. Each returns tasks a second.</summary>
/// <param name="agents">Number of agents that the tasks are spread over.</param>
internal sealed class DbosQueue(DbosServer server, ByteString payload, int agents) : IDisposable
{
    private const int Channels = 4;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly GrpcChannel[] channels =
        [.. Enumerable.Range(0, Channels).Select(_ => GrpcChannel.ForAddress($"http://{server.Address}"))];

    public async Task<double> Schedule(int tasks, int inFlight)
    {
        var run = NewRun();
        var round = await Round.Of(tasks, inFlight, server.Process.Id, async (worker, i) =>
        {
            var answer = await Client(worker).ScheduleTaskAsync(new ScheduleTaskRequest { Task = Numbered(run, i) });
            Demand(answer.Success && !answer.Duplicate, answer.Error);
        });
        return round.PerSecond;
    }

    public async Task<double> ScheduleInBatches(int tasks, int size, int inFlight)
    {
        var run = NewRun();
        var round = await Round.Of(tasks / size, inFlight, server.Process.Id, async (worker, i) =>
        {
            var request = new ScheduleTasksRequest();
            request.Tasks.AddRange(Enumerable.Range(i * size, size).Select(task => Numbered(run, task)));
            var reply = await Client(worker).ScheduleTasksAsync(request);
            Demand(reply.Success && reply.Answers.Count == size && !reply.Answers.Any(answer => answer.Duplicate), reply.Error);
        });
        return round.PerSecond * size;
    }

    /// <summary>Takes so many tasks at a time and acknowledges them together.</summary>
    public Task<double> ProcessInBatches(int tasks, int size, int takers) => Processed(tasks, takers, async client =>
    {
        var taken = await Take(client, size);
        if (taken.Count > 0)
        {
            var request = new AckTasksRequest();
            request.Acks.AddRange(taken.Select(AckOf));
            var reply = await client.AckTasksAsync(request);
            Demand(reply.Success && reply.Answers.Count == taken.Count && !reply.Answers.Any(answer => answer.Duplicate), reply.Error);
        }

        return taken.Count;
    });

    /// <summary>Takes so many tasks at a time and acknowledges each by a call of its own, all calls at once.</summary>
    public Task<double> ProcessSingly(int tasks, int size, int takers) => Processed(tasks, takers, async client =>
    {
        var taken = await Take(client, size);
        await Task.WhenAll(taken.Select(task => Acknowledge(client, task)));
        return taken.Count;
    });

    /// <summary>Reads one stream and acknowledges each task by a call of its own.</summary>
    public async Task<double> ProcessStream(int tasks, int maxInflight)
    {
        var client = Client(0);
        var acknowledgements = new List<Task>(tasks);
        var watch = Stopwatch.StartNew();
        using var stream = client.StreamDueTasks(
            new StreamDueTasksRequest { MaxInflight = maxInflight }, deadline: DateTime.UtcNow + Patience);
        while (acknowledgements.Count < tasks && await stream.ResponseStream.MoveNext(CancellationToken.None))
        {
            var delivered = stream.ResponseStream.Current;
            Demand(delivered.Tasks.Count > 0, delivered.Error);
            acknowledgements.AddRange(delivered.Tasks.Select((task, i) => Acknowledge(Client(i), task)));
        }

        await Task.WhenAll(acknowledgements);
        Demand(acknowledgements.Count == tasks, $"the stream ended after {acknowledgements.Count} tasks");
        return tasks / watch.Elapsed.TotalSeconds;
    }

    /// <summary>True: the server schedules, delivers and acknowledges batches.</summary>
    public async Task<bool> CanProcess()
    {
        try
        {
            await ScheduleInBatches(1, 1, 1);
            await ProcessInBatches(1, 1, 1);
            return true;
        }
        catch (RpcException)
        {
            return false;
        }
    }

    public async Task<bool> CanStream()
    {
        using var stream = Client(0).StreamDueTasks(new StreamDueTasksRequest(), deadline: DateTime.UtcNow + TimeSpan.FromSeconds(1));
        try
        {
            return await stream.ResponseStream.MoveNext(CancellationToken.None);
        }
        catch (RpcException end)
        {
            return end.StatusCode == StatusCode.DeadlineExceeded;
        }
    }

    public void Dispose()
    {
        foreach (var channel in channels)
        {
            channel.Dispose();
        }
    }

    private static string NewRun() => Guid.NewGuid().ToString("N");

    private static async Task<IReadOnlyList<Wire.Task>> Take(DBOS.DBOSClient client, int most)
    {
        var taken = await client.ListDueTasksAsync(new ListDueTasksRequest { Limit = most });
        Demand(taken.Code == ErrorCode.None, taken.Error);
        return taken.Tasks;
    }

    private static async Task Acknowledge(DBOS.DBOSClient client, Wire.Task task)
    {
        var answer = await client.AckTaskAsync(AckOf(task));
        Demand(answer.Success && !answer.Duplicate, answer.Error);
    }

    private static AckTaskRequest AckOf(Wire.Task task) => new() { TaskId = task.Id, LeaseToken = task.LeaseToken };

    private static void Demand(bool asExpected, string error)
    {
        if (!asExpected)
        {
            throw new InvalidOperationException($"a task was not scheduled, delivered or acknowledged as a new one: {error}");
        }
    }

    private DBOS.DBOSClient Client(int i) => new(channels[i % Channels]);

    private Wire.Task Numbered(string run, int i) =>
        new() { Id = $"{run}-{i}", AgentId = $"agent-{i % agents}", ModuleName = "ping", Payload = payload };

    /// <param name="step">Returns the number of tasks that it completed.</param>
    private async Task<double> Processed(int tasks, int takers, Func<DBOS.DBOSClient, Task<int>> step)
    {
        var done = 0;
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, takers).Select(taker => Task.Run(async () =>
        {
            var client = Client(taker);
            while (Volatile.Read(ref done) < tasks)
            {
                Interlocked.Add(ref done, await step(client));
                Demand(watch.Elapsed < Patience, $"{done} of {tasks} tasks were done after {Patience}");
            }
        })));
        Demand(done == tasks, $"{done} tasks were done, not {tasks}");
        return tasks / watch.Elapsed.TotalSeconds;
    }
}
