using Dbos.Application.Pipeline;
using Dbos.Domain.Agents;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using FluentValidation;
using MediatR;

namespace Dbos.Application.Agents;

/// <param name="WindowSeconds">Back from now; 0: as far as is known.</param>
public sealed record GetAgentHistory(string AgentId, long WindowSeconds) : IQuery<AgentHistory>
{
    private static readonly TimeSpan LongestWindow = TimeSpan.FromDays(3_650);

    public string RefusedEvent => EventTypes.AgentReadError;

    public (string Name, string Value)[] Subject => [(AuditEvent.Names.AgentId, AgentId)];

    public sealed class Validator : AbstractValidator<GetAgentHistory>
    {
        public Validator()
        {
            ClassLevelCascadeMode = CascadeMode.Stop;
            RuleFor(query => query.AgentId).IsId("agent_id");
            RuleFor(query => query.WindowSeconds).IsWithin("window_seconds", 0, (long)LongestWindow.TotalSeconds);
        }
    }

    public sealed class Handler(IAgentRepository agents, DbosPolicy policy, TimeProvider clock)
        : IRequestHandler<GetAgentHistory, Answer<AgentHistory>>
    {
        public async Task<Answer<AgentHistory>> Handle(GetAgentHistory query, CancellationToken cancellationToken)
        {
            if (await agents.Find(query.AgentId, cancellationToken) is not { } agent)
            {
                return new Refusal(RefusalCode.NotFound, $"agent '{query.AgentId}' is not known");
            }

            TimeSpan? window = query.WindowSeconds > 0 ? TimeSpan.FromSeconds(query.WindowSeconds) : null;
            return AgentHistory.Of(agent, window, clock.GetUtcNow(), policy.AgentTimeout);
        }
    }
}
