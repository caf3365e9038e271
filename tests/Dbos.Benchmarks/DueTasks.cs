using System.Diagnostics;
using System.Globalization;
using Dbos.Application;
using Dbos.Application.Pipeline;
using Dbos.Application.Tasks;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure;
using Dbos.Infrastructure.Redis;
using Dbos.Infrastructure.Store;
using Dbos.Testing;
using Dbos.Wire;
using Microsoft.Extensions.DependencyInjection;
using Task = System.Threading.Tasks.Task;

namespace Dbos.Benchmarks;

/// <summary>
/// What ListDueTasks(limit 100) costs with a short and with a long queue: two DBOS with a key prefix each on
/// one Redis, asked in turns. What is taken is given back before the next, so that the queues keep their length.
/// </summary>
internal static class DueTasks
{
    private const int Limit = 100;
    private const int ShortQueue = 1_000;
    private const int LongQueue = 1_000_000;
    private const int WarmUp = 50;
    private const int Takes = 200;
    private const double Target = 1.3;

    public static async Task<bool> Run()
    {
        await using var redis = await RedisServer.Start();
        await using var few = await Filled(redis, "few", ShortQueue);
        await using var many = await Filled(redis, "many", LongQueue);

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

    private static async Task<DbosServer> Filled(RedisServer redis, string prefix, int tasks)
    {
        var server = await DbosServer.Start(new Dictionary<string, string>
        {
            ["REDIS_ADDR"] = redis.Address,
            ["KEY_PREFIX"] = prefix,
            ["MAX_RETRIES"] = "1000",
        });
        await using var container = new ServiceCollection()
            .AddLogging()
            .AddApplication(new DbosPolicy { ServerId = "benchmark" })
            .AddInfrastructure(new StoreSettings { Address = redis.Address, KeyPrefix = prefix })
            .BuildServiceProvider();
        await container.GetRequiredService<RedisConnection>().Open(CancellationToken.None);
        var repository = container.GetRequiredService<ITaskRepository>();
        var due = DateTimeOffset.UtcNow.AddHours(-1);
        await Round.Of(tasks, inFlight: 256, Environment.ProcessId, async (_, i) =>
        {
            var task = new MeasurementTask(
                $"task-{i}", "agent-1", "ping", new byte[120], due.ToUnixTimeSeconds(), due.ToUnixTimeSeconds(), MeasurementTaskStatus.Pending, due.AddMilliseconds(i), 0, 1_000, string.Empty, 0, 0);
            var decision = MeasurementTask.Schedule(null, task);
            var work = new UnitOfWork { Origin = Origin.Background("benchmark"), Events = decision.Events };
            await repository.Save(decision.Next, work, CancellationToken.None);
        });
        return server;
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

        await Task.WhenAll(taken.Tasks.Select(
            task => server.Client.NackTaskAsync(new NackTaskRequest { TaskId = task.Id, LeaseToken = task.LeaseToken }).ResponseAsync));
        return cost;
    }
}
