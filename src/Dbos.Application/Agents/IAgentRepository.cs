using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Domain.Agents;
using Dbos.Domain.Answers;

namespace Dbos.Application.Agents;

/// <summary>Agents by their ids. Every member throws <see cref="StoreUnavailableException"/> when the store does not answer.</summary>
public interface IAgentRepository
{
    /// <summary>Null: it is not known.</summary>
    Task<Agent?> Find(string agentId, CancellationToken cancellation);

    /// <summary>By id, ascending; of those that the filter lets through as they are now.</summary>
    Task<Page<Agent>> List(AgentFilter filter, PageRequest page, CancellationToken cancellation);

    /// <summary>
    /// Commits what is decided on the agent as it is stored, together with the events and the mark of the work. Decides again where
    /// another writer was faster. A replay writes nothing and is answered as a duplicate.
    /// </summary>
    /// <param name="decide">On the stored agent, in which texts of its config may be missing; null: it is not known.</param>
    Task<Answer<Written>> Change(string agentId, Func<Agent?, Answer<Decision<Agent>>> decide, CommitContext work, CancellationToken cancellation);

    /// <summary>Ids of agents whose deadline has passed, or lies further ahead than the agent timeout allows.</summary>
    Task<IReadOnlyList<string>> Overdue(int limit, CancellationToken cancellation);

    Task<AgentCounts> Count(CancellationToken cancellation);
}

/// <param name="Alive">Reported alive, and their deadline has not passed.</param>
public readonly record struct AgentCounts(long Known, long Alive);
