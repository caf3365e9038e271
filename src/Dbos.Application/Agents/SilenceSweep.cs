using Dbos.Application.Pipeline;
using Dbos.Domain.Agents;
using Dbos.Domain.Answers;

namespace Dbos.Application.Agents;

/// <summary>Records as lost the agents that fell silent.</summary>
public sealed class SilenceSweep(IAgentRepository agents, DbosPolicy policy, TimeProvider clock) : ISweep
{
    private const int Batch = 500;
    private static readonly Origin Origin = Origin.Background("silence-sweep");

    public async Task<int> Run(CancellationToken cancellation)
    {
        var silent = await agents.Silent(Batch, cancellation);
        var lost = await Task.WhenAll(silent.Select(agent => Lose(agent, cancellation)));
        return lost.Count(answer => !answer.Value.Duplicate);
    }

    private Task<Answer<Written>> Lose(Agent silent, CancellationToken cancellation)
    {
        var work = new UnitOfWork { Origin = Origin };
        return OptimisticWrite.Run<Agent>(
            work,
            load: () => Task.FromResult<Agent?>(silent),
            decide: agent => agent!.Lose(clock.GetUtcNow(), policy.AgentTimeout),
            save: agent => agents.Save(agent, work, cancellation));
    }
}
