using System.Globalization;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using Names = Dbos.Domain.Audit.AuditEvent.Names;

namespace Dbos.Domain.ModuleStates;

/// <summary>
/// The state of a measurement request on one module of one agent, or, without a request id, of the module
/// itself. Only <see cref="Report"/> makes the next one.
/// </summary>
public sealed record ModuleState(
    string AgentId,
    string ModuleName,
    RunState State,
    string ErrorMessage,
    IReadOnlyDictionary<string, string> Details,
    long Timestamp,
    string RequestId,
    long Version) : IVersioned
{
    /// <summary>Takes the reported state for the stored one, if the graph and the caller's expectation allow it.</summary>
    /// <param name="stored">Null: nothing is stored yet.</param>
    /// <param name="reported">Its version is not looked at.</param>
    /// <param name="expected">The stored version that the caller expects; 0: nothing stored; null: any.</param>
    public static Answer<Decision<ModuleState>> Report(ModuleState? stored, ModuleState reported, long? expected)
    {
        if (stored is not null)
        {
            if (stored.AgentId != reported.AgentId || stored.ModuleName != reported.ModuleName)
            {
                return new Refusal(
                    RefusalCode.OwnerMismatch,
                    $"request '{stored.RequestId}' belongs to module '{stored.ModuleName}' of agent '{stored.AgentId}', not to module '{reported.ModuleName}' of agent '{reported.AgentId}'");
            }

            if (stored.SaysTheSameAs(reported))
            {
                return Decision.Replay(stored);
            }
        }

        var version = stored?.Version ?? 0;
        if (expected is { } wanted && wanted != version)
        {
            return new Refusal(
                RefusalCode.VersionConflict,
                string.Create(CultureInfo.InvariantCulture, $"{reported.Subject} is at version {version}, not at the expected {wanted}"));
        }

        var graph = TransitionGraph.Of(reported.RequestId);
        if (!graph.Allows(stored?.State, reported.State))
        {
            return new Refusal(RefusalCode.InvalidTransition, reported.WhyNotAfter(stored?.State, graph));
        }

        var next = reported with { Version = version + 1 };
        return Decision.To(next, next.Updated());
    }

    private string Subject => RequestId.Length > 0 ? $"request '{RequestId}'" : $"module '{ModuleName}' of agent '{AgentId}'";

    private bool SaysTheSameAs(ModuleState other) =>
        State == other.State
        && Timestamp == other.Timestamp
        && ErrorMessage == other.ErrorMessage
        && Details.Count == other.Details.Count
        && Details.All(detail => other.Details.TryGetValue(detail.Key, out var value) && value == detail.Value);

    private string WhyNotAfter(RunState? from, TransitionGraph graph)
    {
        var allowed = string.Join(", ", graph.After(from).Select(RunStateWords.Word));
        return from switch
        {
            null => $"{Subject} cannot begin as {State.Word()}; it begins as one of: {allowed}",
            { } end when graph.IsTerminal(end) => $"{Subject} is {end.Word()}, which is terminal: it cannot become {State.Word()}",
            { } state => $"{Subject} is {state.Word()} and cannot become {State.Word()}; next is one of: {allowed}",
        };
    }

    private AuditEvent Updated() => new(
        EventTypes.ModuleStateUpdated,
        string.Create(CultureInfo.InvariantCulture, $"{Subject} is {State.Word()} (version {Version})"),
        (Names.AgentId, AgentId),
        (Names.ModuleName, ModuleName),
        (Names.RequestId, RequestId),
        ("state", State.Word()),
        ("version", Version.ToString(CultureInfo.InvariantCulture)));
}
