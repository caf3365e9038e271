using Dbos.Application;
using Dbos.Application.Agents;
using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Domain.Agents;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Agents;

public sealed class AgentRepository(IStore store, EventWriter events, Heartbeats heartbeats, DbosPolicy policy, TimeProvider clock) : IAgentRepository
{
    private const int AtOnce = 256;

    private readonly Records<Agent> records = new(store, events, heartbeats, (agent, record) => agent with { Version = record.Version });

    public Task<Agent?> Find(string agentId, CancellationToken cancellation) => records.Find(KeyOf(agentId), cancellation);

    public Task<Page<Agent>> List(AgentFilter filter, PageRequest page, CancellationToken cancellation)
    {
        var after = page.After?.Member;
        return records.List(
            store.AllPartitions(),
            Orders.Lowest,
            (partition, count) => filter == AgentFilter.All
                ? store.ByMember(new StoreKey(partition, Names.Agents), after, count, cancellation)
                : LetThrough(filter, partition, after, count, cancellation),
            Names.Agent,
            page,
            cancellation);
    }

    public Task<Saved<Agent>> Save(Agent agent, CommitContext work, CancellationToken cancellation) =>
        records.Save(agent, KeyOf(agent.Id), work, IndexesOf(agent, policy.AgentTimeout), cancellation);

    public Task<IReadOnlyList<Agent>> Silent(int limit, CancellationToken cancellation) =>
        records.Overdue(Names.AgentDeadlines, clock.GetUtcNow(), limit, Names.Agent, cancellation);

    /// <summary>An agent is alive as long as its deadline has not come: no record is read for those that are passed over.</summary>
    private async Task<IReadOnlyList<IndexEntry>> LetThrough(
        AgentFilter filter, int partition, string? after, int count, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        var found = new List<IndexEntry>();
        IReadOnlyList<IndexEntry> some;
        do
        {
            some = await store.ByMember(new StoreKey(partition, Names.Agents), after, AtOnce, cancellation);
            var deadlines = await Task.WhenAll(some.Select(
                entry => store.Score(new StoreKey(partition, Names.AgentDeadlines), entry.Member, cancellation)));
            found.AddRange(some.Where((_, i) => filter.LetsThrough(deadlines[i] > now)));
            after = some.Count > 0 ? some[^1].Member : after;
        }
        while (found.Count < count && some.Count == AtOnce);

        return found.Count <= count ? found : found[..count];
    }

    internal static IReadOnlyList<IndexChange> IndexesOf(Agent agent, TimeSpan timeout) =>
    [
        new(Names.Agents, agent.Id, 0),
        new(Names.AgentDeadlines, agent.Id, agent.Alive ? (agent.HeardAt + timeout).ToUnixTimeMilliseconds() : null),
    ];

    private StoreKey KeyOf(string agentId) => new(store.PartitionOf(agentId), Names.Agent(agentId));
}
