using Dbos.Testing;

namespace Dbos.Benchmarks.Queue;

/// <summary>BullMQ on a Redis.</summary>
internal sealed class BullMq : IAsyncDisposable
{
    private readonly NodeDriver driver;

    private BullMq(NodeDriver driver, RedisServer redis, QueueLoad load)
    {
        this.driver = driver;
        Add = Turn($"BullMQ add, {load.InFlight} in flight", $"/add?jobs={load.Tasks}&inFlight={load.InFlight}");
        AddBulk = Turn(
            $"BullMQ addBulk by {QueueLoad.Batch}, {QueueLoad.BatchesInFlight} in flight",
            $"/addBulk?jobs={load.Tasks}&size={QueueLoad.Batch}&inFlight={QueueLoad.BatchesInFlight}");
        Keep = Turn($"BullMQ Worker, concurrency {load.InFlight}", $"/process?jobs={load.Tasks}&concurrency={load.InFlight}&keep=true");
        Remove = Turn(
            $"BullMQ Worker, concurrency {load.InFlight}, removeOnComplete",
            $"/process?jobs={load.Tasks}&concurrency={load.InFlight}&keep=false");

        Turn Turn(string name, string action) => new(name, load.Tasks, redis.Process.Id, driver.Process.Id, tasks => driver.Run(tasks, action));
    }

    public Turn Add { get; }

    public Turn AddBulk { get; }

    /// <summary>Keeps completed jobs, which is BullMQ's default.</summary>
    public Turn Keep { get; }

    public Turn Remove { get; }

    /// <summary>The faster way counts: DBOS keeps completed tasks for a day, BullMQ for ever unless it is configured otherwise.</summary>
    public Turn Worker => Keep.Rate.Median >= Remove.Rate.Median ? Keep : Remove;

    /// <summary>Null after a sentence in the report: it is not available.</summary>
    public static async Task<BullMq?> Start(RedisServer redis, QueueLoad load, Report report)
    {
        try
        {
            return new BullMq(await NodeDriver.Start("bullmq.mjs", redis.Port, QueueLoad.Payload), redis, load);
        }
        catch (MissingToolException missing)
        {
            report.Say($"BullMQ is not measured: {missing.Message}.");
            return null;
        }
    }

    public Task<string> Version() => driver.Version();

    public ValueTask DisposeAsync() => driver.DisposeAsync();
}
