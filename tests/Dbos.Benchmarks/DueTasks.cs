using System.Diagnostics;
using Dbos.Benchmarks.Queue;
using Dbos.Testing;
using Dbos.Wire;
using Google.Protobuf;
using Task = System.Threading.Tasks.Task;

namespace Dbos.Benchmarks;

/// <summary>
/// What ListDueTasks(limit 100) costs with a short and a long queue, and with few and many agents. Each comparison has two
/// DBOS with a key prefix each on one Redis, called in turns. Taken tasks are given back before the next take, so that
/// the queues keep their length.
/// </summary>
internal static class DueTasks
{
    private const int Limit = 100;
    private const int ShortQueue = 1_000;
    private const int FewAgents = 3;
    private const int ManyAgents = 1_000;
    private const int FilledAtOnce = 1_000;
    private const int WarmUp = 50;
    private const int Takes = 200;
    private const double Must = 1.3;

    public static async Task<Figures> Run(Options options, Report report)
    {
        report.Say($"Medians of {Takes} calls of ListDueTasks(limit {Limit}), in turns.");
        var table = new Table("pending", "ms");
        Target[] targets =
        [
            await Compare(new Pending(ShortQueue, 1), new Pending(options.Pending, 1), table),
            await Compare(new Pending(options.Pending, FewAgents), new Pending(options.Pending, ManyAgents), table),
        ];
        report.Print(table);
        return new Figures(targets);
    }

    private static async Task<Target> Compare(Pending small, Pending large, Table table)
    {
        // A rewrite of the append-only file would take processor time from the calls.
        await using var redis = await RedisServer.Start("--auto-aof-rewrite-percentage", "0");
        await using var first = await Start(redis, "small");
        await using var second = await Start(redis, "large");
        await Fill(first, small);
        await Fill(second, large);

        var (firstTimes, secondTimes) = (new List<double>(), new List<double>());
        for (var i = 0; i < WarmUp + Takes; i++)
        {
            var (one, other) = (await Take(first), await Take(second));
            if (i >= WarmUp)
            {
                firstTimes.Add(one);
                secondTimes.Add(other);
            }
        }

        var (firstCost, secondCost) = (Round.Median(firstTimes), Round.Median(secondTimes));
        table.Add(small.ToString(), $"{firstCost:F2}");
        table.Add(large.ToString(), $"{secondCost:F2}");
        return Target.AtMost($"ListDueTasks({Limit}): {large} beside {small}", secondCost / firstCost, Must, format: "F2");
    }

    private static Task<DbosServer> Start(RedisServer redis, string prefix) => DbosServer.Start(new Dictionary<string, string>
    {
        ["REDIS_ADDR"] = Patient.To(redis.Address),
        ["KEY_PREFIX"] = prefix,
        // Each return of a task is a failure, and the tasks of a short queue return again and again.
        ["MAX_RETRIES"] = "1000",
    });

    private static async Task Fill(DbosServer server, Pending pending)
    {
        using var queue = new DbosQueue(server, ByteString.CopyFrom(new byte[120]), pending.Agents);
        await queue.ScheduleInBatches(pending.Tasks, Math.Min(FilledAtOnce, pending.Tasks), inFlight: 2);
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
            throw new InvalidOperationException($"Task {task.Id} was not given back: {answer.Error}");
        }
    }

    private sealed record Pending(int Tasks, int Agents)
    {
        public override string ToString() => $"{Tasks:N0} of {Agents:N0} {(Agents == 1 ? "agent" : "agents")}";
    }
}
