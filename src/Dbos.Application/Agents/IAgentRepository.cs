using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Domain.Agents;

namespace Dbos.Application.Agents;

public interface IAgentRepository
{
    Task<Agent?> Find(string agentId, CancellationToken cancellation);

    /// <summary>By id, ascending; of those that the filter lets through as they are now.</summary>
    Task<Page<Agent>> List(AgentFilter filter, PageRequest page, CancellationToken cancellation);

    Task<Saved<Agent>> Save(Agent agent, CommitContext work, CancellationToken cancellation);

    /// <summary>Agents told alive that were not heard of for the agent timeout.</summary>
    Task<IReadOnlyList<Agent>> Silent(int limit, CancellationToken cancellation);
}
