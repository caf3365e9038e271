using Dbos.Application.Pipeline;
using Dbos.Domain.Agents;
using Dbos.Domain.Answers;

namespace Dbos.Application.Agents;

/// <summary>Records as lost the agents that fell silent.</summary>
public sealed class SilenceSweep(IAgentRepository agents, DbosPolicy policy, TimeProvider clock) : Sweep<Agent>("silence-sweep")
{
    protected override Task<IReadOnlyList<Agent>> Overdue(int limit, CancellationToken cancellation) => agents.Silent(limit, cancellation);

    protected override Decision<Agent> Decide(Agent overdue) => overdue.Lose(clock.GetUtcNow(), policy.AgentTimeout);

    protected override async Task<IReadOnlyList<Saved<Agent>>> Save(IReadOnlyList<Draft<Agent>> changed, CancellationToken cancellation) =>
        await Task.WhenAll(changed.Select(draft => agents.Save(draft.Next, draft.Work, cancellation)));
}
