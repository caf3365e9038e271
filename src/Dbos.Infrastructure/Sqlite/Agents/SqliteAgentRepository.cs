using System.Runtime.CompilerServices;
using Dbos.Application;
using Dbos.Application.Agents;
using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Domain.Agents;
using Dbos.Domain.Answers;
using Dbos.Infrastructure.Agents;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Sqlite.Events;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Transfer;

namespace Dbos.Infrastructure.Sqlite.Agents;

/// <summary>Agents in the embedded store. A heartbeat is decided within its transaction, on the row that it finds.</summary>
internal sealed class SqliteAgentRepository(SqliteDatabase database, Heartbeats probe, DbosPolicy policy, TimeProvider clock)
    : IAgentRepository, ISubjectTransfer<Agent>
{
    private const int MostOfASlice = 500;

    /// <summary>Spares the reading of a config that is as it was.</summary>
    private readonly RecentAgents<Agent> recent = new();

    public Task<Agent?> Find(string agentId, CancellationToken cancellation) => database.Read(session => session.FindAgent(agentId));

    public Task<Page<Agent>> List(AgentFilter filter, PageRequest page, CancellationToken cancellation) => database.Read(session =>
    {
        var items = new List<Agent>();
        var bytes = 0L;
        foreach (var (agent, size) in session.AgentsAfter(page.After?.Member ?? string.Empty, filter, clock.GetUtcNow(), page.Limit + 1))
        {
            bytes += size;
            if (items.Count == page.Limit || (bytes > PageRequest.MostBytes && items.Count > 0))
            {
                return new Page<Agent>(items, new PageCursor(0, items[^1].Id)) { Bytes = bytes };
            }

            items.Add(agent);
        }

        return new Page<Agent>(items, Next: null) { Bytes = bytes };
    },
    cost: StorePermits.CostOfEntries(page.Limit));

    public async Task<Answer<Written>> Change(
        string agentId, Func<Agent?, Answer<Decision<Agent>>> decide, CommitContext work, CancellationToken cancellation)
    {
        var (answer, written) = await database.Write(session => Change(session, agentId, decide, work), cancellation);
        if (written is not null)
        {
            // Not before it is committed.
            recent.Remember(agentId, written with { Config = written.Config.WithoutTexts() });
        }

        return answer;
    }

    public Task<IReadOnlyList<string>> Overdue(int limit, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        return database.Read<IReadOnlyList<string>>(session =>
        [
            .. probe.MayHavePassed(Names.AgentDeadlines, now)
                ? session.ReadAll(
                    row => row.GetString(0), "SELECT id FROM agent WHERE deadline <= $1 ORDER BY deadline LIMIT $2", now.ToUnixTimeMilliseconds(), limit)
                : [],
            .. session.ReadAll(
                row => row.GetString(0),
                "SELECT id FROM agent WHERE deadline > $1 LIMIT $2",
                (now + policy.AgentTimeout).ToUnixTimeMilliseconds(),
                limit),
        ]);
    }

    public Task<AgentCounts> Count(CancellationToken cancellation) => database.Read(session => new AgentCounts(
        (long)session.Scalar("SELECT count(*) FROM agent")!,
        (long)session.Scalar("SELECT count(*) FROM agent WHERE deadline > $1", clock.GetUtcNow().ToUnixTimeMilliseconds())!));

    public async IAsyncEnumerable<Agent> Export([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var after = string.Empty;
        List<Agent> slice;
        do
        {
            slice = await database.Read(session =>
                session.AgentsAfter(after, AgentFilter.All, clock.GetUtcNow(), MostOfASlice).Select(one => one.Agent).ToList());
            foreach (var agent in slice)
            {
                yield return agent;
                after = agent.Id;
            }
        }
        while (slice.Count == MostOfASlice);
    }

    public Task Import(IReadOnlyList<Agent> records, CancellationToken cancellation) => database.Write(
        session =>
        {
            foreach (var agent in records)
            {
                session.WriteAgent(before: null, agent, DeadlineOf(agent));
            }

            return true;
        },
        cancellation);

    private (Answer<Written> Answer, Agent? Written) Change(
        SqliteSession session, string agentId, Func<Agent?, Answer<Decision<Agent>>> decide, CommitContext work)
    {
        var now = clock.GetUtcNow();
        if (work.Mark is { } mark && session.MarkNamed(Names.Mark(mark.Name), now.ToUnixTimeMilliseconds()) is { } found)
        {
            var first = MarkValue.Read(found.Value.Span, mark.Content);
            work.ReplayDiffered = first.ContentDiffers;
            return (new Written(first.Version, Duplicate: true), null);
        }

        var known = session.FindAgent(agentId, recent.Find(agentId));
        var decided = decide(known);
        if (decided.Refusal is { } refusal)
        {
            return (refusal, null);
        }

        var (next, isReplay, events) = decided.Value;
        if (isReplay)
        {
            return (new Written(next.Version, Duplicate: true), null);
        }

        session.WriteAgent(known, next, DeadlineOf(next));
        if (work.Mark is { } named)
        {
            session.Put(
                new StoredMark(Names.Mark(named.Name), MarkValue.Write(next.Version, named.Content), IdempotencyMark.Lifetime), now.ToUnixTimeMilliseconds());
        }

        foreach (var told in events)
        {
            session.LogEvent(EventWriter.Body(told, work.Origin), now);
        }

        return (new Written(next.Version, Duplicate: false), next);
    }

    private long? DeadlineOf(Agent agent) => agent.Alive ? (agent.HeardAt + policy.AgentTimeout).ToUnixTimeMilliseconds() : null;
}
