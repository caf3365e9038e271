using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using Dbos.Domain.Results;
using FluentValidation;
using MediatR;

namespace Dbos.Application.Results;

/// <param name="AgentId">Empty: of all agents.</param>
public sealed record ListResults(string AgentId, PageRequest Page) : IQuery<Page<MeasurementResult>>
{
    public string RefusedEvent => EventTypes.ResultListError;

    public (string Name, string Value)[] Subject => [(AuditEvent.Names.AgentId, AgentId)];

    public sealed class Validator : AbstractValidator<ListResults>
    {
        public Validator()
        {
            ClassLevelCascadeMode = CascadeMode.Stop;
            RuleFor(query => query.AgentId).IsIdOrEmpty("agent_id");
            this.IsPage(query => query.Page);
        }
    }

    public sealed class Handler(IResultRepository results) : IRequestHandler<ListResults, Answer<Page<MeasurementResult>>>
    {
        public async Task<Answer<Page<MeasurementResult>>> Handle(ListResults query, CancellationToken cancellationToken) =>
            await results.List(query.AgentId, query.Page, cancellationToken);
    }
}
