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
    /// <summary>Acknowledgements wait for the writer while one is checked.</summary>
    private const int Slice = SqliteTaskRepository.MostAtOnce;

    private const string AgentTurns =
        """
        SELECT '', band, agent, head, (SELECT min(visible_at) FROM task WHERE status = 0 AND agent = t.agent AND band = t.band)
        FROM agent_turn t WHERE (band, agent) > ($2, $3) AND $1 = '' ORDER BY band, agent LIMIT $4
        """;

    private const string ModuleTurns =
        """
        SELECT module, band, agent, head,
            (SELECT min(visible_at) FROM task WHERE status = 0 AND module = t.module AND agent = t.agent AND band = t.band)
        FROM module_turn t WHERE (module, band, agent) > ($1, $2, $3) ORDER BY module, band, agent LIMIT $4
        """;

    public async IAsyncEnumerable<ConsistencySlice> Run(
        bool repair, Origin origin, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var task = string.Empty;
        while (task is not null)
        {
            var after = task;
            (var slice, task) = await Check(session => CheckTasks(session, after, repair, origin), cancellation);
            yield return slice;
        }

        foreach (var turns in (string[])[AgentTurns, ModuleTurns])
        {
            Turn? turn = new(string.Empty, Band: -1, string.Empty, Head: null, Earliest: null);
            while (turn is not null)
            {
                var after = turn;
                (var slice, turn) = await Check(session => CheckTurns(session, turns, after, repair, origin), cancellation);
                yield return slice;
            }
        }
    }

    private Task<T> Check<T>(Func<SqliteSession, T> check, CancellationToken cancellation) =>
        database.Write(check, cancellation, "check_consistency", StoreWork.Read, Slice);

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

    /// <param name="turns">The query that reads them.</param>
    private (ConsistencySlice Slice, Turn? Next) CheckTurns(SqliteSession session, string turns, Turn after, bool repair, Origin origin)
    {
        var some = session.ReadAll(
            row => new Turn(row.GetString(0), (int)row.GetInt64(1), row.GetString(2), row.GetInt64OrNull(3), row.GetInt64OrNull(4)),
            turns,
            after.Module,
            after.Band,
            after.Agent,
            Slice);
        var found = new List<Inconsistency>();
        foreach (var turn in some.Where(turn => turn.Head != turn.Earliest))
        {
            found.Add(Report(
                session, string.Empty, $"the turn of agent '{turn.Agent}' {(turn.Module.Length > 0 ? $"and module '{turn.Module}' " : string.Empty)}is not that of its earliest task", repair, origin));
            if (repair)
            {
                _ = turn.Module.Length > 0
                    ? session.Run(
                        "UPDATE module_turn SET head = $4 WHERE module = $3 AND band = $1 AND agent = $2", turn.Band, turn.Agent, turn.Module, turn.Earliest)
                    : session.Run("UPDATE agent_turn SET head = $3 WHERE band = $1 AND agent = $2", turn.Band, turn.Agent, turn.Earliest);
            }
        }

        return (new ConsistencySlice(some.Count, found), some.Count == Slice ? some[^1] : null);
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

    /// <param name="Module">Empty: of the agent.</param>
    /// <param name="Head">As it is stored.</param>
    /// <param name="Earliest">When the earliest pending task is due; null: none is pending.</param>
    private sealed record Turn(string Module, int Band, string Agent, long? Head, long? Earliest);
}
