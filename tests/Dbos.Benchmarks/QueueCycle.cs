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
    private const int TasksOneByOne = 1_600;
    private const int Batch = 100;
    private const int BatchesInFlight = 4;
    private const int Takers = 4;
    private const int TakersShare = InFlight / Takers;
    private const int WarmUpRounds = 4;
    private const int Rounds = 11;
    private const double Target = 2.0;

    // As JSON.stringify writes it, so that both keep the same bytes.
    private const string Payload =
        """{"target":"192.0.2.17","sent":10,"received":10,"rtt_ms":[12.1,12.4,11.9,12.2,12.6,12.2,12.3,12.1,12.5,12.5],"loss":0.1}""";

    private readonly List<(Rate Rate, Func<Task<double>> Measure)> turns = [];
    private readonly Rate bullAdd, bullAddBulk, bullKeep, bullRemove;
    private readonly Rate schedule, scheduleBatches, batches, stream, singly, oneByOne;

    /// <summary>Names what is measured, in the order of one round: what adds tasks stands before what takes them out.</summary>
    private QueueCycle(BullMq bullMq, DbosQueue dbos)
    {
        bullAdd = InTurn($"BullMQ add, {InFlight} in flight", () => bullMq.Add(Tasks, InFlight));
        bullKeep = InTurn($"BullMQ Worker, concurrency {InFlight}", () => bullMq.Process(Tasks, InFlight, keep: true));
        schedule = InTurn($"DBOS ScheduleTask, {InFlight} in flight", () => dbos.Schedule(Tasks, InFlight));
        batches = InTurn(
            $"DBOS ListDueTasks({Batch}), AckTasks; {Takers} takers", () => dbos.ProcessInBatches(Tasks, Batch, Takers));
        bullAddBulk = InTurn(
            $"BullMQ addBulk by {Batch}, {BatchesInFlight} in flight", () => bullMq.AddBulk(Tasks, Batch, BatchesInFlight));
        bullRemove = InTurn(
            $"BullMQ Worker, concurrency {InFlight}, removeOnComplete", () => bullMq.Process(Tasks, InFlight, keep: false));
        scheduleBatches = InTurn($"DBOS ScheduleTasks by {Batch}, {BatchesInFlight} in flight", () => Fill(Tasks));
        stream = InTurn($"DBOS StreamDueTasks({InFlight}), AckTask", () => dbos.ProcessStream(Tasks, InFlight));
        singly = InTurn($"DBOS ListDueTasks({TakersShare}), AckTask; {Takers} takers", async () =>
        {
            await Fill(Tasks);
            return await dbos.ProcessSingly(Tasks, TakersShare, Takers);
        });
        oneByOne = InTurn($"DBOS ListDueTasks(1), AckTask; {InFlight} takers", async () =>
        {
            await Fill(TasksOneByOne);
            return await dbos.ProcessSingly(TasksOneByOne, size: 1, InFlight);
        });

        Task<double> Fill(int tasks) => dbos.ScheduleInBatches(tasks, Batch, BatchesInFlight);
    }

    // DBOS keeps completed tasks for a day, BullMQ for ever unless told otherwise: its faster way counts.
    private Rate BullProcess => bullKeep.Median >= bullRemove.Median ? bullKeep : bullRemove;

    public static async Task<bool> Run()
    {
        await using var redis = await RedisServer.Start();
        try
        {
            await using var bullMq = await BullMq.Start(redis, Payload);
            await using var server = await DbosServer.Start(new Dictionary<string, string> { ["REDIS_ADDR"] = redis.Address });
            using var dbos = new DbosQueue(server, ByteString.CopyFromUtf8(Payload));
            var cycle = new QueueCycle(bullMq, dbos);
            await cycle.Measure();
            cycle.Print(await bullMq.Version());
            return cycle.batches.To(cycle.BullProcess) >= Target;
        }
        catch (MissingToolException missing)
        {
            Console.WriteLine($"Queue: not measured, {missing.Message}; BullMQ needs Node.js and npm (Debian: apt-get install nodejs npm)");
            return false;
        }
    }

    private Rate InTurn(string name, Func<Task<double>> measure)
    {
        var rate = new Rate(name);
        turns.Add((rate, measure));
        return rate;
    }

    private async Task Measure()
    {
        for (var i = 0; i < WarmUpRounds + Rounds; i++)
        {
            foreach (var (rate, measure) in turns)
            {
                var perSecond = await measure();
                if (i >= WarmUpRounds)
                {
                    rate.Add(perSecond);
                }
            }
        }
    }

    private void Print(string bullVersion)
    {
        Console.WriteLine($"Queue, {Payload.Length} bytes of payload, {bullVersion}; medians of {Rounds} rounds of {Tasks} tasks each, in turns on one Redis");
        Console.WriteLine("add                                                       tasks/s   ratio   target");
        Print(bullAdd);
        Print(schedule, bullAdd);
        Print(bullAddBulk);
        Print(scheduleBatches, bullAddBulk);
        Console.WriteLine("take and acknowledge");
        Print(bullKeep);
        Print(bullRemove);
        Print(batches, BullProcess, Target);
        Print(stream, BullProcess);
        Print(singly, BullProcess);
        Print(oneByOne, BullProcess);
        Console.WriteLine("the whole cycle");
        var bullCycle = Rate.OneAfterTheOther("BullMQ addBulk, Worker", bullAddBulk, BullProcess);
        Print(bullCycle);
        Print(Rate.OneAfterTheOther("DBOS ScheduleTasks, ListDueTasks, AckTasks", scheduleBatches, batches), bullCycle);
    }

    private static void Print(Rate rate, Rate? beside = null, double? target = null)
    {
        var ratio = beside is null ? null : (double?)rate.To(beside);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"  {rate.Name,-53} {rate.Median,9:F0} {ratio,7:F2} {target,8:F2}").TrimEnd());
    }
}
