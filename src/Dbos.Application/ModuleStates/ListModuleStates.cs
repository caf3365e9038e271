using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using Dbos.Domain.ModuleStates;
using FluentValidation;
using MediatR;
using Names = Dbos.Domain.Audit.AuditEvent.Names;

namespace Dbos.Application.ModuleStates;

public sealed record ListModuleStates(string AgentId, string ModuleName, PageRequest Page) : IQuery<Page<ModuleState>>
{
    /// <summary>Empty: of all requests, and of modules' own lives.</summary>
    public string RequestId { get; init; } = string.Empty;

    /// <summary>A state's word; empty: in any.</summary>
    public string State { get; init; } = string.Empty;

    public string RefusedEvent => EventTypes.ModuleStateListError;

    public (string Name, string Value)[] Subject =>
        [(Names.AgentId, AgentId), (Names.ModuleName, ModuleName), (Names.RequestId, RequestId), ("state", State)];

    public sealed class Validator : AbstractValidator<ListModuleStates>
    {
        public Validator()
        {
            ClassLevelCascadeMode = CascadeMode.Stop;
            RuleFor(query => query.AgentId).IsIdOrEmpty("agent_id");
            RuleFor(query => query.ModuleName).IsIdOrEmpty("module_name");
            RuleFor(query => query.RequestId).IsIdOrEmpty("request_id");
            RuleFor(query => query.State)
                .Must(word => word.Length == 0 || RunStateWords.Parse(word) is not null)
                .WithMessage((_, word) => Rules.Sentence(
                    "state", $"must be empty or one of {string.Join(", ", TransitionGraph.ModuleLife.States.Select(RunStateWords.Word))}", word));
            this.IsPage(query => query.Page);
        }
    }

    public sealed class Handler(IModuleStateRepository states) : IRequestHandler<ListModuleStates, Answer<Page<ModuleState>>>
    {
        public async Task<Answer<Page<ModuleState>>> Handle(ListModuleStates query, CancellationToken cancellationToken)
        {
            var filter = new StateFilter(query.AgentId, query.ModuleName, query.RequestId, RunStateWords.Parse(query.State));
            return await states.List(filter, query.Page, cancellationToken);
        }
    }
}
