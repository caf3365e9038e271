using System.Runtime.CompilerServices;
using Dbos.Application.Events;
using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Domain.Agents;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using FluentValidation;
using MediatR;

namespace Dbos.Application.Agents;

/// <summary>Tells how every agent is, and then who is lost and who is back: to be read for as long as the caller listens.</summary>
public sealed record WatchAgents : IQuery<IAsyncEnumerable<AgentNews>>
{
    public string RefusedEvent => EventTypes.AgentReadError;

    public (string Name, string Value)[] Subject => [];

    public sealed class Validator : AbstractValidator<WatchAgents>;

    public sealed class Handler(IAgentRepository agents, IEventLog events, DbosPolicy policy, TimeProvider clock)
        : IRequestHandler<WatchAgents, Answer<IAsyncEnumerable<AgentNews>>>
    {
        private const int PageSize = 500;

        private static readonly EventFilter Changes = EventFilter.Any with
        {
            Types = [EventTypes.AgentRegistered, EventTypes.AgentLost, EventTypes.AgentBack],
        };

        public Task<Answer<IAsyncEnumerable<AgentNews>>> Handle(WatchAgents query, CancellationToken cancellationToken) =>
            Task.FromResult(Answers.Of(Run(cancellationToken)));

        private async IAsyncEnumerable<AgentNews> Run([EnumeratorCancellation] CancellationToken cancellation)
        {
            var isFirst = true;
            await foreach (var batch in events.Watch(Changes, after: string.Empty, cancellation))
            {
                // Listed when the watch has begun: what changes meanwhile is told again, and nothing is missed.
                if (isFirst)
                {
                    isFirst = false;
                    await foreach (var page in Present(cancellation))
                    {
                        yield return page;
                    }
                }

                if (batch.Events.Count > 0 || batch.Refusal is not null)
                {
                    yield return new AgentNews([.. batch.Events.Select(StatusOf)], IsPresent: false, batch.Refusal);
                }
            }
        }

        private async IAsyncEnumerable<AgentNews> Present([EnumeratorCancellation] CancellationToken cancellation)
        {
            Page<Agent>? page = null;
            do
            {
                page = await agents.List(AgentFilter.All, new PageRequest(PageSize, page?.NextToken ?? string.Empty), cancellation);
                var now = clock.GetUtcNow();
                yield return new AgentNews(
                    [.. page.Items.Select(agent => agent.AsOf(now, policy.AgentTimeout)).Select(StatusOf)], IsPresent: page.Next is null, Refusal: null);
            }
            while (page.Next is not null);
        }

        private static AgentStatus StatusOf(Agent agent)
        {
            var (since, cause) = agent.Changes is [.., var last] && last.Alive == agent.Alive
                ? (last.At, last.Cause)
                : (agent.HeardAt, agent.Alive ? AgentChange.Heard : AgentChange.Timeout);
            return new AgentStatus(agent.Id, agent.Alive, since, cause);
        }

        private static AgentStatus StatusOf(ReadOnlyMemory<byte> json)
        {
            var told = LoggedEvent.Parse(json);
            var cause = told.Type switch
            {
                EventTypes.AgentRegistered => AgentChange.Registered,
                EventTypes.AgentBack => AgentChange.Heard,
                _ => told["cause"],
            };
            return new AgentStatus(told[AuditEvent.Names.AgentId], told.Type != EventTypes.AgentLost, told.At, cause);
        }
    }
}

/// <param name="IsPresent">With this every agent there is was told once.</param>
/// <param name="Refusal">Why nothing follows.</param>
public sealed record AgentNews(IReadOnlyList<AgentStatus> Agents, bool IsPresent, Refusal? Refusal);

/// <param name="Cause">As in <see cref="AgentChange"/>.</param>
public sealed record AgentStatus(string AgentId, bool Alive, DateTimeOffset Since, string Cause);
