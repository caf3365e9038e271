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
    public string RefusedEvent => EventTypes.ModuleStateListError;

    public (string Name, string Value)[] Subject => [(Names.AgentId, AgentId), (Names.ModuleName, ModuleName)];

    public sealed class Validator : AbstractValidator<ListModuleStates>
    {
        public Validator()
        {
            ClassLevelCascadeMode = CascadeMode.Stop;
            RuleFor(query => query.AgentId).IsIdOrEmpty("agent_id");
            RuleFor(query => query.ModuleName).IsIdOrEmpty("module_name");
            this.IsPage(query => query.Page);
        }
    }

    public sealed class Handler(IModuleStateRepository states) : IRequestHandler<ListModuleStates, Answer<Page<ModuleState>>>
    {
        public async Task<Answer<Page<ModuleState>>> Handle(ListModuleStates query, CancellationToken cancellationToken) =>
            await states.List(query.AgentId, query.ModuleName, query.Page, cancellationToken);
    }
}
