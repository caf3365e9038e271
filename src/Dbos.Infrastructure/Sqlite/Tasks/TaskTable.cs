using Dbos.Domain.Tasks;

namespace Dbos.Infrastructure.Sqlite.Tasks;

/// <summary>A row of the task table.</summary>
/// <param name="Task">Without its payload.</param>
/// <param name="ReportsEnd">The end of its latest delivery is reported to whoever has it.</param>
internal readonly record struct TaskRow(MeasurementTask Task, long? PayloadKey, long PayloadBytes, bool ReportsEnd)
{
    /// <summary>What all but the texts takes in a reply, about.</summary>
    private const int FixedBytes = 128;

    /// <summary>What the task takes in a reply, about.</summary>
    public long Bytes => PayloadBytes + FixedBytes + Task.Id.Length + Task.AgentId.Length + Task.ModuleName.Length
        + Task.LastError.Length + Task.History.Sum(failure => failure.Error.Length + FixedBytes);
}

/// <summary>The rows of the tables task and task_payload.</summary>
internal static class TaskTable
{
    /// <summary>Of task, in the order in which <see cref="Row"/> reads them.</summary>
    public const string Columns =
        "id, agent, module, band, scheduled_at, created_at, max_retries, max_expiries, trace_parent, payload_key, payload_bytes, "
        + "status, visible_at, lease_token, deliveries, failures, expiries, ended_at, reports_end, failure_log";

    public static TaskRow? FindTask(this SqliteSession session, string id)
    {
        using var row = session.Read($"SELECT {Columns} FROM task WHERE id = $1", id);
        return row.Read() ? Row(row) : null;
    }

    /// <summary>The delivery has not ended.</summary>
    public static bool IsHeld(this SqliteSession session, TaskDelivery delivery) => session.Scalar(
        "SELECT 1 FROM task WHERE id = $1 AND status = 1 AND lease_token = $2", delivery.TaskId, delivery.LeaseToken) is not null;

    public static TaskRow Row(SqliteStatement row)
    {
        var task = new MeasurementTask(
            row.GetString(0),
            row.GetString(1),
            row.GetString(2),
            Payload: default,
            row.GetInt64(4),
            row.GetInt64(5),
            (MeasurementTaskStatus)row.GetInt32(11),
            Instant(row.GetInt64(12)),
            new RetryPolicy(row.GetInt32(6), row.GetInt32(7)),
            row.GetInt64(13))
        {
            Priority = PriorityOf(row.GetInt32(3)),
            TraceParent = row.GetStringOrNull(8),
            Deliveries = row.GetInt64(14),
            Failures = row.GetInt32(15),
            Expiries = row.GetInt32(16),
            EndedAt = row.GetInt64OrNull(17) is { } endedAt ? Instant(endedAt) : null,
        };
        return new TaskRow(
            row.GetStringOrNull(19) is { } log ? FailureLog.AddTo(task, log) : task,
            row.GetInt64OrNull(9),
            row.GetInt64(10),
            row.GetBoolean(18));
    }

    public static MeasurementTask WithPayload(this SqliteSession session, TaskRow row)
    {
        if (row.PayloadKey is not { } key)
        {
            return row.Task;
        }

        using var payload = session.Read("SELECT payload FROM task_payload WHERE key = $1", key);
        return row.Task with { Payload = payload.Read() ? payload.GetBytes(0) : default };
    }

    public static void Insert(this SqliteSession session, MeasurementTask task)
    {
        long? payloadKey = null;
        if (!task.Payload.IsEmpty)
        {
            // RETURNING would cost three times the insertion.
            session.Run("INSERT INTO task_payload (payload) VALUES ($1)", task.Payload);
            payloadKey = session.LastInsertedRow;
        }

        session.Run(
            $"INSERT INTO task ({Columns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)",
            task.Id,
            task.AgentId,
            task.ModuleName,
            BandOf(task),
            task.ScheduledAt,
            task.CreatedAt,
            task.Retry.MaxRetries,
            task.Retry.MaxExpiries,
            task.TraceParent,
            payloadKey,
            task.Payload.Length,
            (int)task.Status,
            Milliseconds(task.VisibleAt),
            task.LeaseToken,
            task.Deliveries,
            task.Failures,
            task.Expiries,
            MillisecondsOrNull(task.EndedAt),
            false,
            FailureLog.Write(task));
    }

    public static void Update(this SqliteSession session, MeasurementTask before, MeasurementTask next, bool reportsEnd)
    {
        session.Run(
            """
            UPDATE task SET status = $2, visible_at = $3, lease_token = $4, deliveries = $5, failures = $6, expiries = $7,
                ended_at = $8, reports_end = $9 WHERE id = $1
            """,
            next.Id,
            (int)next.Status,
            Milliseconds(next.VisibleAt),
            next.LeaseToken,
            next.Deliveries,
            next.Failures,
            next.Expiries,
            MillisecondsOrNull(next.EndedAt),
            reportsEnd);
        if (!FailureLog.IsSame(before, next))
        {
            session.Run("UPDATE task SET failure_log = $2 WHERE id = $1", next.Id, FailureLog.Write(next));
        }
    }

    public static void Delete(this SqliteSession session, string id, long? payloadKey)
    {
        session.Run("DELETE FROM task WHERE id = $1", id);
        if (payloadKey is not null)
        {
            session.Run("DELETE FROM task_payload WHERE key = $1", payloadKey);
        }
    }

    /// <summary>The highest priority is the lowest band.</summary>
    public static int BandOf(MeasurementTask task) => MeasurementTask.HighestPriority - task.Priority;

    public static int PriorityOf(int band) => MeasurementTask.HighestPriority - band;

    public static long Milliseconds(DateTimeOffset instant) => instant.ToUnixTimeMilliseconds();

    public static DateTimeOffset Instant(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);

    private static long? MillisecondsOrNull(DateTimeOffset? instant) => instant?.ToUnixTimeMilliseconds();
}
