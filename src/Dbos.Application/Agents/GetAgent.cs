using Dbos.Application.Pipeline;
using Dbos.Domain.Agents;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using FluentValidation;
using MediatR;

namespace Dbos.Application.Agents;

public sealed record GetAgent(string AgentId) : IQuery<Agent>
{
    public string RefusedEvent => EventTypes.AgentReadError;

    public (string Name, string Value)[] Subject => [(AuditEvent.Names.AgentId, AgentId)];

    public sealed class Validator : AbstractValidator<GetAgent>
    {
        public Validator() => RuleFor(query => query.AgentId).IsId("agent_id");
    }

    public sealed class Handler(IAgentRepository agents, DbosPolicy policy, TimeProvider clock)
        : IRequestHandler<GetAgent, Answer<Agent>>
    {
        public async Task<Answer<Agent>> Handle(GetAgent query, CancellationToken cancellationToken) =>
            await agents.Find(query.AgentId, cancellationToken) is { } agent
                ? agent.AsOf(clock.GetUtcNow(), policy.AgentTimeout)
                : new Refusal(RefusalCode.NotFound, $"agent '{query.AgentId}' is not known");
    }
}
