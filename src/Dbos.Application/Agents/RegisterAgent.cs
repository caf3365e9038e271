using Dbos.Application.Pipeline;
using Dbos.Domain.Agents;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using FluentValidation;
using MediatR;

namespace Dbos.Application.Agents;

/// <summary>A heartbeat. Every one counts, so nothing but a key named by the caller makes it the same again.</summary>
public sealed record RegisterAgent(Heartbeat? Agent) : IWrite
{
    public string RefusedEvent => EventTypes.AgentRegisterError;

    public (string Name, string Value)[] Subject => [(AuditEvent.Names.AgentId, Agent?.AgentId ?? string.Empty)];

    public ContentHash Content
    {
        get
        {
            var content = new ContentHash.Builder()
                .Add(Agent!.Hostname)
                .Add(Agent.Alive ? 1 : 0)
                .Add(Agent.LastSeen)
                .Add(Agent.FirstSeen)
                .Add(Agent.TotalHeartbeats);
            foreach (var (key, value) in Agent.Config.OrderBy(entry => entry.Key, StringComparer.Ordinal))
            {
                content.Add(key).Add((long)(ulong)(value.Digest >> 64)).Add((long)(ulong)value.Digest);
            }

            return content.Build();
        }
    }

    public sealed class Validator : AbstractValidator<RegisterAgent>
    {
        public Validator()
        {
            ClassLevelCascadeMode = CascadeMode.Stop;
            RuleFor(command => command.Agent).IsGiven("agent");
            RuleFor(command => command.Agent!.AgentId).IsId("agent.id");
            RuleFor(command => command.Agent!.LastSeen).IsTime("agent.last_seen");
            RuleFor(command => command.Agent!.FirstSeen).IsTime("agent.first_seen");
            RuleFor(command => (long)command.Agent!.TotalHeartbeats).IsWithin("agent.total_heartbeats", 0, int.MaxValue);
        }
    }

    public sealed class Handler(IAgentRepository agents, CommitContext work, DbosPolicy policy, TimeProvider clock)
        : IRequestHandler<RegisterAgent, Answer<Written>>
    {
        public Task<Answer<Written>> Handle(RegisterAgent command, CancellationToken cancellationToken)
        {
            var told = command.Agent!;
            return agents.Change(
                told.AgentId, known => Domain.Agents.Agent.Hear(known, told, clock.GetUtcNow(), policy.AgentTimeout), work, cancellationToken);
        }
    }
}
