using System.Diagnostics;
using System.Globalization;

namespace Dbos.Soak.Audit;

/// <summary>
/// The store's audit of itself goes through a long queue, while a caller schedules, takes and acknowledges tasks of its own: it must
/// find nothing, and hold up nobody.
/// </summary>
public static class AuditRun
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(30);

    /// <param name="tasks">How many wait.</param>
    /// <param name="quiet">How long the caller is measured without an audit.</param>
    public static async Task<AuditReport> Of(int tasks, TimeSpan quiet)
    {
        await using var redis = await RedisServer.Start();
        await using var server = await DbosServer.Start(new Dictionary<string, string> { ["REDIS_ADDR"] = redis.Address });
        using (var replicas = new AnyReplica([server.Address]))
        {
            await Scheduler.Schedule(replicas, tasks, dueWithin: TimeSpan.Zero);
        }

        using var isOver = new CancellationTokenSource(quiet);
        var alone = await Act(server.Connect(), isOver.Token);
        using var isAudited = new CancellationTokenSource();
        var beside = Act(server.Connect(), isAudited.Token);
        var since = Stopwatch.StartNew();
        var (looked, found, isDone) = await Audit(server.Connect());
        var took = since.Elapsed;
        await isAudited.CancelAsync();
        return new AuditReport(tasks, looked, found, isDone, took, alone, await beside);
    }

    private static async Task<(long Looked, IReadOnlyList<string> Found, bool IsDone)> Audit(DBOS.DBOSClient client)
    {
        var (looked, found, isDone) = (0L, new List<string>(), false);
        using var audit = client.CheckConsistency(new CheckConsistencyRequest(), deadline: DateTime.UtcNow + Patience);
        while (await audit.ResponseStream.MoveNext(CancellationToken.None))
        {
            var slice = audit.ResponseStream.Current;
            (looked, isDone) = (slice.Checked, slice.Done);
            found.AddRange(slice.Inconsistencies.Select(inconsistency => inconsistency.Description));
        }

        return (looked, found, isDone);
    }

    /// <returns>How long each call took, shortest first.</returns>
    private static async Task<TimeSpan[]> Act(DBOS.DBOSClient client, CancellationToken end)
    {
        var agent = Guid.NewGuid().ToString("N");
        var took = new List<TimeSpan>();
        for (var number = 0; !end.IsCancellationRequested; number++)
        {
            var id = string.Create(CultureInfo.InvariantCulture, $"{agent}-{number}");
            await Timed(async () => await client.ScheduleTaskAsync(
                new ScheduleTaskRequest { Task = new WireTask { Id = id, AgentId = agent, ModuleName = "ping" } }));
            ListDueTasksResponse taken;
            do
            {
                taken = await Timed(async () => await client.ListDueTasksAsync(new ListDueTasksRequest { AgentId = agent, Limit = 1 }));
            }
            while (taken.Error.Length == 0 && taken.Tasks.Count == 0);
            var task = taken.Tasks.Single();
            await Timed(async () => await client.AckTaskAsync(new AckTaskRequest { TaskId = task.Id, LeaseToken = task.LeaseToken }));
        }

        took.Sort();
        return [.. took];

        async Task<T> Timed<T>(Func<Task<T>> call)
        {
            var since = Stopwatch.GetTimestamp();
            var answer = await call();
            took.Add(Stopwatch.GetElapsedTime(since));
            return answer;
        }
    }
}
