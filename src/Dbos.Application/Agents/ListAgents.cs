using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Domain.Agents;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using FluentValidation;
using MediatR;

namespace Dbos.Application.Agents;

public sealed record ListAgents(AgentFilter Filter, PageRequest Page) : IQuery<Page<Agent>>
{
    public string RefusedEvent => EventTypes.AgentListError;

    public (string Name, string Value)[] Subject => [];

    public sealed class Validator : AbstractValidator<ListAgents>
    {
        public Validator()
        {
            this.IsPage(query => query.Page);
            RuleFor(query => (long)query.Filter).IsWithin("filter", (long)AgentFilter.All, (long)AgentFilter.Lost);
        }
    }

    public sealed class Handler(IAgentRepository agents, DbosPolicy policy, TimeProvider clock)
        : IRequestHandler<ListAgents, Answer<Page<Agent>>>
    {
        public async Task<Answer<Page<Agent>>> Handle(ListAgents query, CancellationToken cancellationToken)
        {
            var page = await agents.List(query.Filter, query.Page, cancellationToken);
            var now = clock.GetUtcNow();
            return page with
            {
                // Between two reads an agent may have been lost, or be back.
                Items = [.. page.Items.Select(agent => agent.AsOf(now, policy.AgentTimeout)).Where(agent => query.Filter.LetsThrough(agent.Alive))],
            };
        }
    }
}

public enum AgentFilter
{
    All,
    Alive,
    Lost,
}

public static class AgentFilters
{
    public static bool LetsThrough(this AgentFilter filter, bool isAlive) =>
        filter == AgentFilter.All || (filter == AgentFilter.Alive) == isAlive;
}
