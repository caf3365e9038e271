using System.Diagnostics;
using System.Globalization;
using Dbos.Testing;
using Dbos.Wire;
using Google.Protobuf;
using Task = System.Threading.Tasks.Task;

namespace Dbos.Benchmarks;

/// <summary>
/// What ListDueTasks(limit 100) costs with a short and with a long queue: two DBOS with a key prefix each on
/// one Redis, asked in turns, the tasks of one agent. What is taken is given back before the next, so that the queues keep their length.
/// </summary>
internal static class DueTasks
{
    private const int Limit = 100;
    private const int ShortQueue = 1_000;
    private const int LongQueue = 1_000_000;
    private const int FilledAtOnce = 1_000;
    private const int WarmUp = 50;
    private const int Takes = 200;
    private const double Target = 1.3;

    public static async Task<bool> Run()
    {
        await using var redis = await RedisServer.Start();
        await using var few = await Start(redis, "few");
        await using var many = await Start(redis, "many");
        await Fill(few, ShortQueue);
        await Fill(many, LongQueue);

        var fewTimes = new List<double>();
        var manyTimes = new List<double>();
        for (var i = 0; i < WarmUp + Takes; i++)
        {
            var (one, other) = (await Take(few), await Take(many));
            if (i >= WarmUp)
            {
                fewTimes.Add(one);
                manyTimes.Add(other);
            }
        }

        var (shortCost, longCost) = (Round.Median(fewTimes), Round.Median(manyTimes));
        var ratio = longCost / shortCost;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"ListDueTasks(limit {Limit}), medians of {Takes}: {shortCost:F2} ms with {ShortQueue:N0} pending, {longCost:F2} ms with {LongQueue:N0}: {ratio:F2} times (target {Target} or less)"));
        return ratio <= Target;
    }

    private static Task<DbosServer> Start(RedisServer redis, string prefix) => DbosServer.Start(new Dictionary<string, string>
    {
        ["REDIS_ADDR"] = redis.Address,
        ["KEY_PREFIX"] = prefix,
        // Each giving back is a failure, and those of the short queue come again and again.
        ["MAX_RETRIES"] = "1000",
    });

    private static async Task Fill(DbosServer server, int tasks)
    {
        using var queue = new DbosQueue(server, ByteString.CopyFrom(new byte[120]), agents: 1);
        await queue.ScheduleInBatches(tasks, FilledAtOnce, inFlight: 2);
    }

    private static async Task<double> Take(DbosServer server)
    {
        var since = Stopwatch.GetTimestamp();
        var taken = await server.Client.ListDueTasksAsync(new ListDueTasksRequest { Limit = Limit });
        var cost = Stopwatch.GetElapsedTime(since).TotalMilliseconds;
        if (taken.Tasks.Count != Limit)
        {
            throw new InvalidOperationException($"{taken.Tasks.Count} tasks were taken, not {Limit}: {taken.Error}");
        }

        await Task.WhenAll(taken.Tasks.Select(task => GiveBack(server, task)));
        return cost;
    }

    private static async Task GiveBack(DbosServer server, Wire.Task task)
    {
        var answer = await server.Client.NackTaskAsync(
            new NackTaskRequest { TaskId = task.Id, LeaseToken = task.LeaseToken, RetryAtOnce = true });
        if (!answer.Success)
        {
            throw new InvalidOperationException($"task {task.Id} was not given back: {answer.Error}");
        }
    }
}
