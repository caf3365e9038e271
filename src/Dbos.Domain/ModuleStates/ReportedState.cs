using Dbos.Domain.Audit;
using Names = Dbos.Domain.Audit.AuditEvent.Names;

namespace Dbos.Domain.ModuleStates;

/// <summary>A state as an agent reports it.</summary>
/// <param name="Timestamp">Unix seconds; 0: not given.</param>
/// <param name="RequestId">Empty: the module's own life.</param>
public sealed record ReportedState(
    string AgentId,
    string ModuleName,
    RunState State,
    string ErrorMessage,
    IReadOnlyDictionary<string, string> Details,
    long Timestamp,
    string RequestId,
    ExpectedVersions Expected)
{
    internal TransitionGraph Graph => TransitionGraph.Of(RequestId);

    internal string Subject => RequestId.Length > 0 ? $"request '{RequestId}' of agent '{AgentId}'" : $"module '{ModuleName}' of agent '{AgentId}'";

    /// <summary>The event of its acceptance. The commit adds the version to the metadata, as only the commit assigns it.</summary>
    /// <param name="isFirst">Nothing was stored.</param>
    public AuditEvent Accepted(bool isFirst) => LacksBeginning(isFirst)
        ? new AuditEvent(
            EventTypes.ModuleStateUpdated,
            $"{Subject} is {State.Word()}; its beginning is missing",
            (Names.AgentId, AgentId),
            (Names.ModuleName, ModuleName),
            (Names.RequestId, RequestId),
            ("state", State.Word()),
            ("beginning", "missing"))
        : new AuditEvent(
            EventTypes.ModuleStateUpdated,
            $"{Subject} is {State.Word()}",
            (Names.AgentId, AgentId),
            (Names.ModuleName, ModuleName),
            (Names.RequestId, RequestId),
            ("state", State.Word()));

    /// <summary>Whether the event of a first report differs from that of a later one.</summary>
    public bool LacksBeginning(bool isFirst) => isFirst && Graph.IsTerminal(State);
}
