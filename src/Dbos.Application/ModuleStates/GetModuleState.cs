using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using Dbos.Domain.ModuleStates;
using FluentValidation;
using MediatR;
using Names = Dbos.Domain.Audit.AuditEvent.Names;

namespace Dbos.Application.ModuleStates;

/// <param name="AgentId">Empty: the agent whose state of this request changed last.</param>
public sealed record GetModuleState(string RequestId, string AgentId = "") : IQuery<ModuleState>
{
    public string RefusedEvent => EventTypes.ModuleStateReadError;

    public (string Name, string Value)[] Subject => AgentId.Length > 0
        ? [(Names.RequestId, RequestId), (Names.AgentId, AgentId)]
        : [(Names.RequestId, RequestId)];

    public sealed class Validator : AbstractValidator<GetModuleState>
    {
        public Validator()
        {
            ClassLevelCascadeMode = CascadeMode.Stop;
            RuleFor(query => query.RequestId).IsId("request_id");
            RuleFor(query => query.AgentId).IsIdOrEmpty("agent_id");
        }
    }

    public sealed class Handler(IModuleStateRepository states) : IRequestHandler<GetModuleState, Answer<ModuleState>>
    {
        public async Task<Answer<ModuleState>> Handle(GetModuleState query, CancellationToken cancellationToken)
        {
            if (await states.Find(query.RequestId, query.AgentId, cancellationToken) is { } state)
            {
                return state;
            }

            var onAgent = query.AgentId.Length > 0 ? $" on agent '{query.AgentId}'" : string.Empty;
            return new Refusal(RefusalCode.NotFound, $"request '{query.RequestId}' has no module state{onAgent}");
        }
    }
}
