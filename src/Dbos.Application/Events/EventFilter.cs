using Dbos.Application.Pipeline;
using Dbos.Domain.Audit;
using FluentValidation;

namespace Dbos.Application.Events;

/// <summary>Which events are meant.</summary>
/// <param name="Types">Empty: any.</param>
/// <param name="AgentId">Empty: any.</param>
/// <param name="RequestId">A request's states and results, and the task of that id with its deliveries; empty: any.</param>
/// <param name="Since">Unix seconds; 0: all that are kept.</param>
public sealed record EventFilter(IReadOnlyList<string> Types, string AgentId, string RequestId, long Since)
{
    public static readonly EventFilter Any = new([], string.Empty, string.Empty, Since: 0);

    /// <summary>As event metadata.</summary>
    public (string Name, string Value)[] Subject =>
        [(AuditEvent.Names.AgentId, AgentId), (AuditEvent.Names.RequestId, RequestId)];

    /// <param name="type">Empty: any.</param>
    public static EventFilter Of(string type, string agentId, string requestId, long since) =>
        new(type.Length == 0 ? [] : [type], agentId, requestId, since);
}

internal static class EventFilterRules
{
    public static void IsFilter<T>(this AbstractValidator<T> validator, Func<T, EventFilter> filter)
    {
        validator.RuleForEach(request => filter(request).Types).IsIdOrEmpty("type");
        validator.RuleFor(request => filter(request).AgentId).IsIdOrEmpty("agent_id");
        validator.RuleFor(request => filter(request).RequestId).IsIdOrEmpty("request_id");
        validator.RuleFor(request => filter(request).Since).IsTime("since");
    }
}
