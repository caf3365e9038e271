using Dbos.Application.Pipeline;
using Dbos.Domain.Audit;
using FluentValidation;

namespace Dbos.Application.Tasks;

/// <summary>Whose tasks are meant; empty: anybody's.</summary>
public sealed record TaskFilter(string AgentId, string ModuleName)
{
    public static readonly TaskFilter Any = new(string.Empty, string.Empty);

    public bool IsAny => AgentId.Length == 0 && ModuleName.Length == 0;

    /// <summary>As event metadata.</summary>
    public (string Name, string Value)[] Subject => [(AuditEvent.Names.AgentId, AgentId), (AuditEvent.Names.ModuleName, ModuleName)];
}

internal static class TaskFilterRules
{
    public static void IsFilter<T>(this AbstractValidator<T> validator, Func<T, TaskFilter> filter)
    {
        validator.RuleFor(request => filter(request).AgentId).IsIdOrEmpty("agent_id");
        validator.RuleFor(request => filter(request).ModuleName).IsIdOrEmpty("module_name");
    }
}
