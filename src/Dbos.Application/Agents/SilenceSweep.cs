using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;

namespace Dbos.Application.Agents;

/// <summary>Records as lost the agents that fell silent.</summary>
public sealed class SilenceSweep(IAgentRepository agents, DbosPolicy policy, TimeProvider clock) : ISweep
{
    private const int Batch = 500;

    private static readonly Origin Self = Origin.Background("silence-sweep");

    public async Task<int> Run(CancellationToken cancellation)
    {
        var overdue = await agents.Overdue(Batch, cancellation);
        return overdue.Count == 0 ? 0 : await Spans.Around(nameof(SilenceSweep), async span =>
        {
            var origin = span is null ? Self : Self with { TraceId = span.TraceId.ToHexString() };
            var checks = await Task.WhenAll(overdue.Select(agentId => agents.Change(
                agentId,
                known => known is null
                    ? new Refusal(RefusalCode.NotFound, "gone meanwhile")
                    : known.CheckDeadline(clock.GetUtcNow(), policy.AgentTimeout),
                new CommitContext { Origin = origin },
                cancellation)));
            var written = checks.Count(answer => answer is { IsRefused: false, Value.Duplicate: false });
            span?.SetTag("dbos.count", written);
            return written;
        });
    }
}
