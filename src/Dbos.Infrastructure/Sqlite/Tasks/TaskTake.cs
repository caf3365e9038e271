using System.Buffers;
using System.Text.Json;
using Dbos.Application.Pipeline;
using Dbos.Application.Tasks;
using Dbos.Domain.Audit;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Sqlite.Events;
using Dbos.Infrastructure.Tasks;
using static Dbos.Infrastructure.Sqlite.Tasks.TaskTable;

namespace Dbos.Infrastructure.Sqlite.Tasks;

/// <summary>
/// One transaction of a take. A higher priority goes first. Within one, agents take turns: each gets an equal share of
/// what is wanted. Within an agent the longest due task goes first.
/// </summary>
internal sealed class TaskTake(TaskChanges changes, TakeOrder order, int limit, long bytesLeft, bool isFirst, long served)
{
    private readonly SqliteSession session = changes.Session;
    private readonly DateTimeOffset now = changes.Now;
    private readonly DateTimeOffset dueBy = order.Due ?? changes.Now;
    private readonly long due = Milliseconds(order.Due ?? changes.Now);
    private readonly List<MeasurementTask> taken = [];
    private long left = bytesLeft;
    private long token;

    /// <summary>The next task does not fit into the reply any more.</summary>
    public bool IsFull { get; private set; }

    /// <summary>Of the reply, after this.</summary>
    public long BytesLeft => left;

    public IReadOnlyList<MeasurementTask> Run(Origin origin)
    {
        var before = (long)session.Scalar("SELECT latest FROM lease_token WHERE id = 1")!;
        token = before;
        var band = -1;
        while (Wants && NextBand(band + 1) is { } next)
        {
            band = next;
            TakeByTurns(band);
        }

        if (token > before)
        {
            session.Run("UPDATE lease_token SET latest = $1 WHERE id = 1", token);
            changes.Count(TaskCounts.Delivered, taken.Count);
            LogEvent(origin);
        }

        return taken;
    }

    private bool Wants => taken.Count < limit && !IsFull;

    private (string Agent, string Module) Filter => (order.Filter.AgentId, order.Filter.ModuleName);

    /// <summary>The next priority that has pending tasks, due or not.</summary>
    private int? NextBand(int from) => (int?)(long?)(Filter switch
    {
        ("", "") => session.Scalar(
            "SELECT band FROM agent_turn WHERE band >= $1 AND head IS NOT NULL ORDER BY band LIMIT 1", from),
        ("", var module) => session.Scalar(
            "SELECT band FROM module_turn WHERE module = $2 AND band >= $1 AND head IS NOT NULL ORDER BY band LIMIT 1", from, module),
        (var agent, "") => session.Scalar(
            "SELECT band FROM task WHERE status = 0 AND agent = $2 AND band >= $1 ORDER BY band LIMIT 1", from, agent),
        var (agent, module) => session.Scalar(
            "SELECT band FROM task WHERE status = 0 AND module = $3 AND agent = $2 AND band >= $1 ORDER BY band LIMIT 1", from, agent, module),
    });

    private void TakeByTurns(int band)
    {
        var agents = Agents(band);
        var modules = agents.ToDictionary(agent => agent, _ => new HashSet<string>());
        var round = agents;
        while (Wants && round.Count > 0)
        {
            var next = new List<string>();
            for (var i = 0; i < round.Count && Wants; i++)
            {
                // What one agent has less than its share goes to those after it.
                var agentsLeft = round.Count - i;
                var share = (limit - taken.Count + agentsLeft - 1) / agentsLeft;
                if (TakeFrom(band, round[i], share, modules[round[i]]) == share)
                {
                    next.Add(round[i]);
                }
            }

            round = next;
        }

        foreach (var agent in agents.Where(agent => modules[agent].Count > 0))
        {
            session.Rotate(band, agent, modules[agent], served, Milliseconds(now));
        }
    }

    /// <summary>
    /// Agents with a due task, in the order of their turns. A turn is later than the task where the agent was served since, but
    /// never later than this take, or than what it takes.
    /// </summary>
    private List<string> Agents(int band) => Filter switch
    {
        ("", "") => session.ReadAll(
            row => row.GetString(0),
            "SELECT agent FROM agent_turn WHERE band = $1 AND head IS NOT NULL AND turn <= $2 AND head <= $3 ORDER BY turn, agent LIMIT $4",
            band,
            Math.Max(served, due * 1000),
            due,
            limit - taken.Count),
        ("", var module) => session.ReadAll(
            row => row.GetString(0),
            """
            SELECT agent FROM module_turn WHERE module = $5 AND band = $1 AND head IS NOT NULL AND turn <= $2 AND head <= $3
            ORDER BY turn, agent LIMIT $4
            """,
            band,
            Math.Max(served, due * 1000),
            due,
            limit - taken.Count,
            module),
        var (agent, _) => [agent],
    };

    private int TakeFrom(int band, string agent, int share, HashSet<string> modules)
    {
        var count = 0;
        foreach (var row in LongestDue(band, agent, share))
        {
            left -= row.Bytes;
            if (left < 0 && !(isFirst && taken.Count == 0))
            {
                IsFull = true;
                return count;
            }

            var decision = row.Task.Deliver(token + 1, now + order.Lease, dueBy);
            if (!decision.IsReplay)
            {
                token++;
                changes.Move(row, decision.Next, order.ReportsEnds);
                taken.Add(session.WithPayload(row with { Task = decision.Next }));
                modules.Add(row.Task.ModuleName);
                count++;
            }
        }

        return count;
    }

    private List<TaskRow> LongestDue(int band, string agent, int count) => Filter.Module.Length == 0
        ? session.ReadAll(
            Row,
            $"SELECT {Columns} FROM task WHERE status = 0 AND agent = $2 AND band = $1 AND visible_at <= $3 ORDER BY visible_at, id LIMIT $4",
            band,
            agent,
            due,
            count)
        : session.ReadAll(
            Row,
            $"""
            SELECT {Columns} FROM task WHERE status = 0 AND module = $5 AND agent = $2 AND band = $1 AND visible_at <= $3
            ORDER BY visible_at, id LIMIT $4
            """,
            band,
            agent,
            due,
            count,
            Filter.Module);

    /// <summary>One event for all deliveries.</summary>
    private void LogEvent(Origin origin)
    {
        var (head, tail) = EventWriter.Parts(new AuditEvent(EventTypes.TasksRetrieved, "due tasks taken"), origin);
        var body = new ArrayBufferWriter<byte>();
        body.Write(head.Span);
        body.Write("\"lease_tokens\":"u8);
        body.Write(JsonSerializer.SerializeToUtf8Bytes(taken.ToDictionary(task => task.Id, task => task.LeaseToken)));
        body.Write(",\"agents\":"u8);
        body.Write(JsonSerializer.SerializeToUtf8Bytes(taken.Select(task => task.AgentId).Where(agent => agent.Length > 0).Distinct()));
        body.Write(tail.Span);
        session.LogEvent(body.WrittenMemory, now);
    }
}
