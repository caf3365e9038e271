using System.Runtime.CompilerServices;
using Dbos.Application.Pipeline;
using Dbos.Application.Tasks;
using Dbos.Domain.Audit;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Sqlite.Events;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tasks;

namespace Dbos.Infrastructure.Sqlite.Tasks;

/// <summary>
/// Compares the tables of tasks with each other: a pending task must have its turns, a turn must be that of a pending task, and a
/// payload that a task names must be there. SQLite itself keeps indexes and rows together. Each slice is one transaction.
/// </summary>
internal sealed class SqliteTaskAudit(SqliteDatabase database, TimeProvider clock) : ITaskAudit
{
    private const int Slice = 500;

    private const string WrongTurns =
        """
        SELECT band, agent, '', (SELECT min(visible_at) FROM task WHERE status = 0 AND agent = t.agent AND band = t.band)
        FROM agent_turn t WHERE head IS NOT (SELECT min(visible_at) FROM task WHERE status = 0 AND agent = t.agent AND band = t.band)
        UNION ALL
        SELECT band, agent, module,
            (SELECT min(visible_at) FROM task WHERE status = 0 AND module = t.module AND agent = t.agent AND band = t.band)
        FROM module_turn t
        WHERE head IS NOT (SELECT min(visible_at) FROM task WHERE status = 0 AND module = t.module AND agent = t.agent AND band = t.band)
        LIMIT 500
        """;

    public async IAsyncEnumerable<ConsistencySlice> Run(
        bool repair, Origin origin, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var last = string.Empty;
        while (true)
        {
            var (slice, next) = await database.Write(session => CheckTasks(session, last, repair, origin), cancellation);
            yield return slice;
            if (next is null)
            {
                break;
            }

            last = next;
        }

        yield return await database.Write(session => CheckTurns(session, repair, origin), cancellation);
    }

    private (ConsistencySlice Slice, string? Next) CheckTasks(SqliteSession session, string after, bool repair, Origin origin)
    {
        var tasks = session.ReadAll(
            row => (Id: row.GetString(0), Queue: new TaskQueue(row.GetString(2), (int)row.GetInt64(3), row.GetString(1)), VisibleAt: row.GetInt64(4), HasTurns: row.GetBoolean(5), HasPayload: row.GetBoolean(6)),
            """
            SELECT id, agent, module, band, visible_at,
                status <> 0 OR (EXISTS (SELECT 1 FROM agent_turn t WHERE t.band = task.band AND t.agent = task.agent AND t.head <= task.visible_at)
                    AND EXISTS (SELECT 1 FROM module_turn t
                        WHERE t.module = task.module AND t.band = task.band AND t.agent = task.agent AND t.head <= task.visible_at)),
                payload_key IS NULL OR EXISTS (SELECT 1 FROM task_payload WHERE key = payload_key)
            FROM task WHERE id > $1 ORDER BY id LIMIT $2
            """,
            after,
            Slice);
        var found = new List<Inconsistency>();
        foreach (var task in tasks)
        {
            if (!task.HasTurns)
            {
                found.Add(Report(session, task.Id, "it waits without its turn", repair, origin));
                if (repair)
                {
                    session.Activate(task.Queue, task.VisibleAt, clock.GetUtcNow().ToUnixTimeMilliseconds());
                }
            }

            if (!task.HasPayload)
            {
                // There is nothing to put back.
                found.Add(new Inconsistency(task.Id, $"task {task.Id}: its payload is missing", Repaired: false));
            }
        }

        return (new ConsistencySlice(tasks.Count, found), tasks.Count == Slice ? tasks[^1].Id : null);
    }

    private ConsistencySlice CheckTurns(SqliteSession session, bool repair, Origin origin)
    {
        var wrong = session.ReadAll(
            row => (Band: (int)row.GetInt64(0), Agent: row.GetString(1), Module: row.GetString(2), Head: row.GetInt64OrNull(3)), WrongTurns);
        var found = new List<Inconsistency>();
        foreach (var turn in wrong)
        {
            found.Add(Report(
                session, string.Empty, $"the turn of agent '{turn.Agent}' {(turn.Module.Length > 0 ? $"and module '{turn.Module}' " : string.Empty)}is not that of its earliest task", repair, origin));
            if (repair)
            {
                _ = turn.Module.Length > 0
                    ? session.Run(
                        "UPDATE module_turn SET head = $4 WHERE module = $3 AND band = $1 AND agent = $2", turn.Band, turn.Agent, turn.Module, turn.Head)
                    : session.Run("UPDATE agent_turn SET head = $3 WHERE band = $1 AND agent = $2", turn.Band, turn.Agent, turn.Head);
            }
        }

        return new ConsistencySlice((int)(long)session.Scalar("SELECT (SELECT count(*) FROM agent_turn) + (SELECT count(*) FROM module_turn)")!, found);
    }

    private Inconsistency Report(SqliteSession session, string taskId, string wrong, bool repair, Origin origin)
    {
        var sentence = taskId.Length > 0 ? $"task {taskId}: {wrong}" : wrong;
        if (repair)
        {
            var now = clock.GetUtcNow();
            var repaired = new AuditEvent(EventTypes.TaskRepaired, $"repaired: {sentence}", (AuditEvent.Names.TaskId, taskId));
            session.LogEvent(EventWriter.Body(repaired, origin), now);
            session.Count(TaskCounts.Of([repaired])[0], 1, bucket: 0);
            session.Count(TaskCounts.Of([repaired])[0], 1, CountBuckets.Of(now));
        }

        return new Inconsistency(taskId, sentence, repair);
    }
}
