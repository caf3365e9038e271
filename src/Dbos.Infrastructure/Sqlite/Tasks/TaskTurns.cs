using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Store;
using static Dbos.Infrastructure.Sqlite.Tasks.TaskTable;

namespace Dbos.Infrastructure.Sqlite.Tasks;

/// <summary>A queue: the pending tasks of an agent's module in one priority.</summary>
internal readonly record struct TaskQueue(string Module, int Band, string Agent)
{
    public static TaskQueue Of(MeasurementTask task) => new(task.ModuleName, BandOf(task), task.AgentId);
}

/// <summary>
/// The tables agent_turn and module_turn: which agents have pending tasks, when the earliest is due, and when the agent was
/// last served. A turn comes at the later of the two, so an agent with a backlog lets the others pass.
/// </summary>
internal static class TaskTurns
{
    private const string HeadOfAgent =
        "(SELECT visible_at FROM task WHERE status = 0 AND agent = $2 AND band = $1 ORDER BY visible_at LIMIT 1)";

    private const string HeadOfQueue =
        "(SELECT visible_at FROM task WHERE status = 0 AND module = $3 AND agent = $2 AND band = $1 ORDER BY visible_at LIMIT 1)";

    /// <summary>A task of the queue became pending.</summary>
    public static void Activate(this SqliteSession session, TaskQueue queue, long due, long now)
    {
        session.Run(
            """
            INSERT INTO agent_turn (band, agent, head, served) VALUES ($1, $2, $3, 0)
            ON CONFLICT DO UPDATE SET head = excluded.head WHERE head IS NULL OR excluded.head < head
            """,
            queue.Band,
            queue.Agent,
            due);
        var isEarliest = session.Run(
            """
            INSERT INTO module_turn (module, band, agent, head, served) VALUES ($3, $1, $2, $4, 0)
            ON CONFLICT DO UPDATE SET head = excluded.head WHERE head IS NULL OR excluded.head < head
            """,
            queue.Band,
            queue.Agent,
            queue.Module,
            due) > 0;
        if (isEarliest)
        {
            session.Announce(queue, due, now);
        }
    }

    /// <summary>A pending task left the queue otherwise than by delivery. Only the earliest one counts.</summary>
    public static void Deactivate(this SqliteSession session, TaskQueue queue, long due, long now)
    {
        session.Run(
            $"UPDATE agent_turn SET head = {HeadOfAgent} WHERE band = $1 AND agent = $2 AND head = $3", queue.Band, queue.Agent, due);
        session.AnnounceNext(
            queue,
            now,
            session.Scalar(
                $"UPDATE module_turn SET head = {HeadOfQueue} WHERE module = $3 AND band = $1 AND agent = $2 AND head = $4 RETURNING head",
                queue.Band,
                queue.Agent,
                queue.Module,
                due));
    }

    /// <summary>Tasks of an agent were delivered: what is left of them waits behind the agents whose turn has come.</summary>
    /// <param name="served">Unix microseconds.</param>
    public static void Rotate(this SqliteSession session, int band, string agent, IEnumerable<string> modules, long served, long now)
    {
        session.Run($"UPDATE agent_turn SET head = {HeadOfAgent}, served = $3 WHERE band = $1 AND agent = $2", band, agent, served);
        foreach (var module in modules)
        {
            session.AnnounceNext(
                new TaskQueue(module, band, agent),
                now,
                session.Scalar(
                    $"UPDATE module_turn SET head = {HeadOfQueue}, served = $4 WHERE module = $3 AND band = $1 AND agent = $2 RETURNING head",
                    band,
                    agent,
                    module,
                    served));
        }
    }

    /// <summary>Rows without pending tasks say when their agent was served, which counts for a while only.</summary>
    /// <param name="served">Unix microseconds.</param>
    /// <returns>How many rows went.</returns>
    public static int DeleteIdleTurns(this SqliteSession session, long served, int most) =>
        session.Run(
            """
            DELETE FROM agent_turn WHERE (band, agent) IN
                (SELECT band, agent FROM agent_turn WHERE head IS NULL AND served < $1 ORDER BY served LIMIT $2)
            """,
            served,
            most)
        + session.Run(
            """
            DELETE FROM module_turn WHERE (module, band, agent) IN
                (SELECT module, band, agent FROM module_turn WHERE head IS NULL AND served < $1 ORDER BY served LIMIT $2)
            """,
            served,
            most);

    /// <summary>What comes next is announced where takers may have stopped to look: they know of what is due already.</summary>
    private static void AnnounceNext(this SqliteSession session, TaskQueue queue, long now, object? head)
    {
        if (head is long next && next > now)
        {
            session.Announce(queue, next, now);
        }
    }

    /// <summary>Takers that wait are called when the time has come. What is due later is seen by a probe before it is.</summary>
    private static void Announce(this SqliteSession session, TaskQueue queue, long due, long now)
    {
        if (due <= now + (long)Turn.Horizon.TotalMilliseconds)
        {
            session.Turns.Add(new Turn(QueueNames.Of(queue.Agent, queue.Module), due));
        }
    }
}
