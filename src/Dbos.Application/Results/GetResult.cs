using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using Dbos.Domain.Results;
using FluentValidation;
using MediatR;
using Names = Dbos.Domain.Audit.AuditEvent.Names;

namespace Dbos.Application.Results;

public sealed record GetResult(string AgentId, string RequestId) : IQuery<MeasurementResult>
{
    public string RefusedEvent => EventTypes.ResultReadError;

    public (string Name, string Value)[] Subject => [(Names.AgentId, AgentId), (Names.RequestId, RequestId)];

    public sealed class Validator : AbstractValidator<GetResult>
    {
        public Validator()
        {
            ClassLevelCascadeMode = CascadeMode.Stop;
            RuleFor(query => query.AgentId).IsId("agent_id");
            RuleFor(query => query.RequestId).IsId("request_id");
        }
    }

    public sealed class Handler(IResultRepository results) : IRequestHandler<GetResult, Answer<MeasurementResult>>
    {
        public async Task<Answer<MeasurementResult>> Handle(GetResult query, CancellationToken cancellationToken) =>
            await results.Find(query.AgentId, query.RequestId, cancellationToken) is { } result
                ? result
                : new Refusal(RefusalCode.NotFound, $"agent '{query.AgentId}' has no result '{query.RequestId}'");
    }
}
