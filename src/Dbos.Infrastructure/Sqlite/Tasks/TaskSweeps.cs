using Dbos.Application;
using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Tasks;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using static Dbos.Infrastructure.Sqlite.Tasks.TaskTable;

namespace Dbos.Infrastructure.Sqlite.Tasks;

/// <summary>What happens to tasks as time passes: leases expire, ended tasks go, and with them what is known of idle agents.</summary>
internal sealed partial class TaskSweeps(DbosPolicy policy, ILogger logger)
{
    private const int MostAtOnce = SqliteTaskRepository.MostAtOnce;
    private const int MostReported = 1_000;

    /// <summary>An agent that has nothing pending for so long has a turn like a new one.</summary>
    private static readonly TimeSpan IdleTurnsKept = TimeSpan.FromMinutes(1);

    /// <summary>Each is reported once, not at every sweep.</summary>
    private readonly HashSet<string> reported = [];

    public static bool HasExpired(SqliteSession session, DateTimeOffset now) =>
        session.Scalar("SELECT 1 FROM task WHERE status = 1 AND visible_at <= $1 LIMIT 1", Milliseconds(now)) is not null;

    /// <returns>How many leases were ended.</returns>
    public int Expire(TaskChanges changes, Origin origin)
    {
        var context = new CommitContext { Origin = origin };
        var count = 0;
        var after = (VisibleAt: long.MinValue, Id: string.Empty);
        while (count < MostAtOnce)
        {
            var expired = changes.Session.ReadAll(
                row => (VisibleAt: row.GetInt64(0), Id: row.GetString(1)),
                """
                SELECT visible_at, id FROM task WHERE status = 1 AND visible_at <= $1 AND (visible_at, id) > ($2, $3)
                ORDER BY visible_at, id LIMIT $4
                """,
                Milliseconds(changes.Now),
                after.VisibleAt,
                after.Id,
                MostAtOnce - count);
            foreach (var (_, id) in expired)
            {
                if (Decide(changes, id) is { Decision.IsReplay: false } ends)
                {
                    changes.Write(ends.Row, ends.Decision, context);
                    count++;
                }
            }

            if (expired.Count == 0)
            {
                break;
            }

            // Only rows that could not be handled are still there: go on behind them.
            after = expired[^1];
        }

        return count;
    }

    public bool HasEnded(SqliteSession session, DateTimeOffset now) =>
        session.Scalar("SELECT 1 FROM task WHERE status = 2 AND ended_at <= $1 LIMIT 1", KeptSince(now)) is not null
        || session.Scalar("SELECT 1 FROM task WHERE status = 4 AND ended_at <= $1 LIMIT 1", KeptSince(now)) is not null
        || session.Scalar("SELECT 1 FROM agent_turn WHERE head IS NULL AND served < $1 LIMIT 1", IdleSince(now)) is not null
        || session.Scalar("SELECT 1 FROM module_turn WHERE head IS NULL AND served < $1 LIMIT 1", IdleSince(now)) is not null;

    /// <returns>How many tasks were removed.</returns>
    public int Purge(TaskChanges changes)
    {
        changes.Session.DeleteIdleTurns(IdleSince(changes.Now), MostAtOnce);
        var completed = Purge(changes, MeasurementTaskStatus.Completed, MostAtOnce);
        var removed = completed + Purge(changes, MeasurementTaskStatus.Cancelled, MostAtOnce - completed);
        if (removed > 0)
        {
            changes.Count(TaskCounts.Purged, removed);
        }

        return removed;
    }

    private static long IdleSince(DateTimeOffset now) => Milliseconds(now - IdleTurnsKept) * 1_000;

    private long KeptSince(DateTimeOffset now) => Milliseconds(now - policy.CompletedTaskRetention);

    private int Purge(TaskChanges changes, MeasurementTaskStatus status, int most)
    {
        var ended = changes.Session.ReadAll(
            row => (Id: row.GetString(0), PayloadKey: row.GetInt64OrNull(1)),
            status == MeasurementTaskStatus.Completed
                ? "SELECT id, payload_key FROM task WHERE status = 2 AND ended_at <= $1 ORDER BY ended_at LIMIT $2"
                : "SELECT id, payload_key FROM task WHERE status = 4 AND ended_at <= $1 ORDER BY ended_at LIMIT $2",
            KeptSince(changes.Now),
            most);
        ended.ForEach(task => changes.Remove(task.Id, task.PayloadKey, status));
        return ended.Count;
    }

    /// <returns>Null: the row cannot be handled.</returns>
    private (TaskRow Row, Decision<MeasurementTask> Decision)? Decide(TaskChanges changes, string id)
    {
        try
        {
            return changes.Session.FindTask(id) is { } row ? (row, row.Task.ExpireLease(changes.Now)) : null;
        }
#pragma warning disable CA1031 // Whatever is wrong with one row must not keep the leases behind it from expiring.
        catch (Exception fault) when (fault is not SqliteException)
        {
            if (reported.Count < MostReported && reported.Add(id))
            {
                LogUnreadable(id, fault);
            }

            return null;
        }
#pragma warning restore CA1031
    }

    [LoggerMessage(LogLevel.Error, "The lease of task {TaskId} has expired, but its row cannot be handled: it stays inflight")]
    private partial void LogUnreadable(string taskId, Exception fault);
}
