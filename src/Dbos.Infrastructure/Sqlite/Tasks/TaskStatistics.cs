using Dbos.Application.Tasks;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tasks;
using static Dbos.Infrastructure.Sqlite.Tasks.TaskTable;

namespace Dbos.Infrastructure.Sqlite.Tasks;

/// <summary>What can be said of all tasks at once: from counters, and from the ends of indexes.</summary>
internal static class TaskStatistics
{
    private const int BucketsInAMinute = 6;

    /// <param name="keptSince">Completed and cancelled tasks that ended by then are about to be removed, and not counted.</param>
    public static QueueStats Read(SqliteSession session, DateTimeOffset now, DateTimeOffset keptSince)
    {
        // The bucket of now is not full yet: the rate is over a minute and what has passed of it.
        var latest = CountBuckets.Of(now);
        var since = now - DateTimeOffset.FromUnixTimeSeconds((latest - BucketsInAMinute) * (long)CountBuckets.Length.TotalSeconds);
        var lately = Counts(session, latest - BucketsInAMinute, latest);
        return new QueueStats(
            Tasks(session, keptSince),
            OldestDue(session, now) is { } due ? now - Instant(due) : TimeSpan.Zero,
            lately[TaskCounts.Scheduled] / since.TotalSeconds,
            lately[TaskCounts.Completed] / since.TotalSeconds,
            (lately[TaskCounts.Nacked] + lately[TaskCounts.LeaseExpired]) / since.TotalSeconds,
            Counts(session, from: 0, to: 0));
    }

    public static DeadLetterCount CountDeadLetters(SqliteSession session, TaskFilter filter)
    {
        if (filter.IsAny)
        {
            var count = session.Scalar(
                "SELECT amount FROM count WHERE bucket = $1 AND name = $2", TaskChanges.TasksByStatus, MeasurementTaskStatus.Failed.Word());
            return new DeadLetterCount((long?)count ?? 0, IsComplete: true);
        }

        using var counts = session.Read(
            """
            SELECT coalesce(sum(($1 = '' OR agent = $1) AND ($2 = '' OR module = $2)), 0), count(*)
            FROM (SELECT agent, module FROM task WHERE status = $3 AND ended_at IS NOT NULL ORDER BY ended_at DESC LIMIT $4)
            """,
            filter.AgentId,
            filter.ModuleName,
            (int)MeasurementTaskStatus.Failed,
            DeadLetterCount.MostLookedAt);
        counts.Read();
        return new DeadLetterCount(counts.GetInt64(0), IsComplete: counts.GetInt64(1) < DeadLetterCount.MostLookedAt);
    }

    private static Dictionary<MeasurementTaskStatus, long> Tasks(SqliteSession session, DateTimeOffset keptSince)
    {
        var counts = session.ReadAll(
            row => (Status: row.GetString(0), Amount: row.GetInt64(1)),
            "SELECT name, amount FROM count WHERE bucket = $1",
            TaskChanges.TasksByStatus).ToDictionary(count => count.Status, count => count.Amount);
        var tasks = Enum.GetValues<MeasurementTaskStatus>().ToDictionary(status => status, status => counts.GetValueOrDefault(status.Word()));
        foreach (var status in (MeasurementTaskStatus[])[MeasurementTaskStatus.Completed, MeasurementTaskStatus.Cancelled])
        {
            tasks[status] -= (long)session.Scalar(
                "SELECT count(*) FROM task WHERE status = $1 AND ended_at <= $2", (int)status, Milliseconds(keptSince))!;
        }

        return tasks;
    }

    private static long? OldestDue(SqliteSession session, DateTimeOffset now) => Enumerable.Range(0, Bands.Count).Min(band => (long?)session.Scalar(
        "SELECT visible_at FROM task WHERE status = 0 AND band = $1 AND visible_at <= $2 ORDER BY visible_at LIMIT 1",
        band,
        Milliseconds(now)));

    private static Dictionary<string, long> Counts(SqliteSession session, long from, long to)
    {
        var counts = session.ReadAll(
            row => (Name: row.GetString(0), Amount: row.GetInt64(1)),
            "SELECT name, amount FROM count WHERE bucket BETWEEN $1 AND $2",
            from,
            to);
        return TaskCounts.All.ToDictionary(name => name, name => counts.Where(count => count.Name == name).Sum(count => count.Amount));
    }
}
