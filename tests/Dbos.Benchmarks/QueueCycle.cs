using System.Globalization;
using Dbos.Testing;
using Google.Protobuf;

namespace Dbos.Benchmarks;

/// <summary>
/// Tasks a second through DBOS's queue beside BullMQ's, on one Redis, in turns: into the queue, and out of it.
/// What counts is the ratio of two rates of one round: the machine's noise is in both.
/// </summary>
internal sealed class QueueCycle
{
    private const int InFlight = 64;
    private const int Tasks = 8_000;
    private const int Agents = 20;
    private const int TasksOneByOne = 1_600;
    private const int Batch = 100;
    private const int BatchesInFlight = 4;
    private const int Takers = 4;
    private const int TakersShare = InFlight / Takers;
    private const int WarmUpRounds = 8;
    private const int Rounds = 11;
    private const double Target = 2.0;

    // As JSON.stringify writes it, so that both keep the same bytes.
    private const string Payload =
        """{"target":"192.0.2.17","sent":10,"received":10,"rtt_ms":[12.1,12.4,11.9,12.2,12.6,12.2,12.3,12.1,12.5,12.5],"loss":0.1}""";

    private readonly Turn bullAdd, bullAddBulk, bullKeep, bullRemove;
    private readonly Turn schedule, scheduleBatches, batches, stream, singly, oneByOne;

    private QueueCycle(RedisServer redis, BullMq bullMq, DbosServer server, DbosQueue dbos)
    {
        bullAdd = Bull($"BullMQ add, {InFlight} in flight", tasks => bullMq.Add(tasks, InFlight));
        bullAddBulk = Bull(
            $"BullMQ addBulk by {Batch}, {BatchesInFlight} in flight", tasks => bullMq.AddBulk(tasks, Batch, BatchesInFlight));
        bullKeep = Bull($"BullMQ Worker, concurrency {InFlight}", tasks => bullMq.Work(tasks, InFlight, keep: true));
        bullRemove = Bull(
            $"BullMQ Worker, concurrency {InFlight}, removeOnComplete", tasks => bullMq.Work(tasks, InFlight, keep: false));

        schedule = Dbos($"DBOS ScheduleTask, {InFlight} in flight", tasks => dbos.Schedule(tasks, InFlight));
        scheduleBatches = Dbos($"DBOS ScheduleTasks by {Batch}, {BatchesInFlight} in flight", Fill);
        batches = Dbos(
            $"DBOS ListDueTasks({Batch}), AckTasks; {Takers} takers", tasks => dbos.ProcessInBatches(tasks, Batch, Takers));
        stream = Dbos($"DBOS StreamDueTasks({InFlight}), AckTask", tasks => dbos.ProcessStream(tasks, InFlight));
        singly = Dbos(
            $"DBOS ListDueTasks({TakersShare}), AckTask; {Takers} takers",
            tasks => dbos.ProcessSingly(tasks, TakersShare, Takers),
            before: Fill);
        oneByOne = new Turn(
            $"DBOS ListDueTasks(1), AckTask; {InFlight} takers",
            TasksOneByOne,
            redis.Process.Id,
            server.Process.Id,
            tasks => dbos.ProcessSingly(tasks, size: 1, InFlight),
            before: Fill);

        Turn Bull(string name, Func<int, Task<double>> measure) =>
            new(name, Tasks, redis.Process.Id, bullMq.Process.Id, measure);
        Turn Dbos(string name, Func<int, Task<double>> measure, Func<int, Task>? before = null) =>
            new(name, Tasks, redis.Process.Id, server.Process.Id, measure, before);
        Task<double> Fill(int tasks) => dbos.ScheduleInBatches(tasks, Batch, BatchesInFlight);
    }

    // DBOS keeps completed tasks for a day, BullMQ for ever unless told otherwise: its faster way counts.
    private Turn BullProcess => bullKeep.Rate.Median >= bullRemove.Rate.Median ? bullKeep : bullRemove;

    public static async Task<bool> Run()
    {
        await using var redis = await RedisServer.Start();
        try
        {
            await using var bullMq = await BullMq.Start(redis, Payload);
            await using var server = await DbosServer.Start(new Dictionary<string, string> { ["REDIS_ADDR"] = redis.Address });
            using var dbos = new DbosQueue(server, ByteString.CopyFromUtf8(Payload), Agents);
            var cycle = new QueueCycle(redis, bullMq, server, dbos);
            await cycle.Measure();
            cycle.Print(await bullMq.Version());
            return cycle.batches.Rate.To(cycle.BullProcess.Rate) >= Target;
        }
        catch (MissingToolException missing)
        {
            Console.WriteLine($"Queue: not measured, {missing.Message}; BullMQ needs Node.js and npm (Debian: apt-get install nodejs npm)");
            return false;
        }
    }

    private async Task Measure()
    {
        // What adds tasks stands before what takes them out again.
        Turn[] round = [bullAdd, bullKeep, schedule, batches, bullAddBulk, bullRemove, scheduleBatches, stream, singly, oneByOne];
        for (var i = 0; i < WarmUpRounds + Rounds; i++)
        {
            foreach (var turn in round)
            {
                await turn.Take(counts: i >= WarmUpRounds);
            }
        }
    }

    private void Print(string bullVersion)
    {
        Console.WriteLine($"Queue, {Payload.Length} bytes of payload, {Agents} agents, {bullVersion}; medians of {Rounds} rounds of {Tasks} tasks each, in turns on one Redis");
        Console.WriteLine("in                                                    tasks/s   Redis µs/task   own µs/task   ratio   target");
        Print(bullAdd);
        Print(schedule, bullAdd);
        Print(bullAddBulk);
        Print(scheduleBatches, bullAddBulk);
        Console.WriteLine("out, each acknowledged");
        Print(bullKeep);
        Print(bullRemove);
        Print(batches, BullProcess, Target);
        Print(stream, BullProcess);
        Print(singly, BullProcess);
        Print(oneByOne, BullProcess);
        var (cycle, bullCycle) = (scheduleBatches.Rate.Then(batches.Rate), bullAddBulk.Rate.Then(BullProcess.Rate));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"in and out in batches: DBOS {cycle.Median:F0} tasks/s, BullMQ {bullCycle.Median:F0}: {cycle.To(bullCycle):F2} times"));
    }

    private static void Print(Turn turn, Turn? beside = null, double? target = null)
    {
        var ratio = beside is null ? null : (double?)turn.Rate.To(beside.Rate);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"  {turn.Name,-50} {turn.Rate.Median,8:F0} {turn.RedisMicroseconds,15:F0} {turn.OwnMicroseconds,13:F0} {ratio,7:F2} {target,8:F2}").TrimEnd());
    }
}
