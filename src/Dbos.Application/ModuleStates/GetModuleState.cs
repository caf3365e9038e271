using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using Dbos.Domain.ModuleStates;
using FluentValidation;
using MediatR;

namespace Dbos.Application.ModuleStates;

public sealed record GetModuleState(string RequestId) : IQuery<ModuleState>
{
    public string RefusedEvent => EventTypes.ModuleStateReadError;

    public (string Name, string Value)[] Subject => [(AuditEvent.Names.RequestId, RequestId)];

    public sealed class Validator : AbstractValidator<GetModuleState>
    {
        public Validator() => RuleFor(query => query.RequestId).IsId("request_id");
    }

    public sealed class Handler(IModuleStateRepository states) : IRequestHandler<GetModuleState, Answer<ModuleState>>
    {
        public async Task<Answer<ModuleState>> Handle(GetModuleState query, CancellationToken cancellationToken) =>
            await states.Find(query.RequestId, cancellationToken) is { } state
                ? state
                : new Refusal(RefusalCode.NotFound, $"request '{query.RequestId}' has no module state");
    }
}
