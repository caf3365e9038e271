using Dbos.Testing;
using Google.Protobuf;

namespace Dbos.Benchmarks.Queue;

/// <summary>The turns of one gRPC server.</summary>
internal sealed class QueueTurns : IDisposable
{
    private readonly DbosQueue queue;

    private QueueTurns(string name, DbosServer server, RedisServer? redis, DbosQueue queue, QueueLoad load, bool streams)
    {
        this.queue = queue;
        var share = load.InFlight / QueueLoad.Takers;
        Schedule = Of($"ScheduleTask, {load.InFlight} in flight", tasks => queue.Schedule(tasks, load.InFlight));
        ScheduleBatches = Of($"ScheduleTasks by {QueueLoad.Batch}, {QueueLoad.BatchesInFlight} in flight", Fill);
        Batches = Of(
            $"ListDueTasks({QueueLoad.Batch}), AckTasks; {QueueLoad.Takers} takers",
            tasks => queue.ProcessInBatches(tasks, QueueLoad.Batch, QueueLoad.Takers));
        Stream = streams ? Of($"StreamDueTasks({load.InFlight}), AckTask", tasks => queue.ProcessStream(tasks, load.InFlight), Fill) : null;
        Singly = Of(
            $"ListDueTasks({share}), AckTask; {QueueLoad.Takers} takers", tasks => queue.ProcessSingly(tasks, share, QueueLoad.Takers));
        OneByOne = new Turn(
            $"{name} ListDueTasks(1), AckTask; {load.InFlight} takers",
            load.TasksOneByOne,
            redis?.Process.Id,
            server.Process.Id,
            tasks => queue.ProcessSingly(tasks, size: 1, load.InFlight),
            Fill);

        Turn Of(string what, Func<int, Task<double>> measure, Func<int, Task>? before = null) =>
            new($"{name} {what}", load.Tasks, redis?.Process.Id, server.Process.Id, measure, before);
        Task<double> Fill(int tasks) => queue.ScheduleInBatches(tasks, QueueLoad.Batch, QueueLoad.BatchesInFlight);
    }

    public Turn Schedule { get; }

    /// <summary>Takes what <see cref="Schedule"/> added.</summary>
    public Turn Singly { get; }

    public Turn ScheduleBatches { get; }

    /// <summary>Takes what <see cref="ScheduleBatches"/> added.</summary>
    public Turn Batches { get; }

    /// <summary>Null: the server does not implement the call.</summary>
    public Turn? Stream { get; }

    public Turn OneByOne { get; }

    /// <summary>From ScheduleTasks to AckTasks.</summary>
    public Rate LifeInBatches => ScheduleBatches.Rate.Then(Batches.Rate);

    /// <summary>Processor time of Redis for one task, from ScheduleTasks to AckTasks.</summary>
    public double? LifeStoreMicroseconds => ScheduleBatches.StoreMicroseconds + Batches.StoreMicroseconds;

    /// <summary>Processor time of the server for one task, from ScheduleTasks to AckTasks.</summary>
    public double LifeOwnMicroseconds => ScheduleBatches.OwnMicroseconds + Batches.OwnMicroseconds;

    /// <param name="redis">Null: the server has an embedded store.</param>
    /// <returns>Null: the server does not implement the calls on this store.</returns>
    public static async Task<QueueTurns?> Of(string name, DbosServer server, RedisServer? redis, QueueLoad load)
    {
        var queue = new DbosQueue(server, ByteString.CopyFromUtf8(QueueLoad.Payload), QueueLoad.Agents);
        if (await queue.CanProcess())
        {
            return new QueueTurns(name, server, redis, queue, load, await queue.CanStream());
        }

        queue.Dispose();
        return null;
    }

    public void Dispose() => queue.Dispose();
}
