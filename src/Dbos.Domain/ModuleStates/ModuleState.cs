using System.Globalization;
using Dbos.Domain.Answers;

namespace Dbos.Domain.ModuleStates;

/// <summary>
/// The state of a measurement request on one agent, or, without a request id, of one of the agent's modules. Only
/// <see cref="Report"/> makes the next one.
/// </summary>
/// <param name="ModuleName">Of a request: the one that first reported it on this agent.</param>
/// <param name="Timestamp">Unix seconds: when the agent entered the state.</param>
/// <param name="Version">1 for the first accepted state, one more for each further one.</param>
public sealed record ModuleState(
    string AgentId,
    string ModuleName,
    RunState State,
    string ErrorMessage,
    IReadOnlyDictionary<string, string> Details,
    long Timestamp,
    string RequestId,
    long Version)
{
    /// <summary>Takes the reported state for the stored one, if the graph and the caller's expectation allow it.</summary>
    /// <param name="stored">Of the same request and agent, or of the same module's life; null: nothing is stored yet.</param>
    /// <param name="now">The store's time, for a report that gives none.</param>
    public static Answer<Decision<ModuleState>> Report(ModuleState? stored, ReportedState reported, DateTimeOffset now)
    {
        if (stored is not null)
        {
            if (stored.ModuleName != reported.ModuleName)
            {
                return new Refusal(
                    RefusalCode.OwnerMismatch,
                    $"{reported.Subject} belongs to module '{stored.ModuleName}', not to module '{reported.ModuleName}'");
            }

            if (stored.SaysTheSameAs(reported))
            {
                return Decision.Replay(stored);
            }
        }

        var version = stored?.Version ?? 0;
        if (!reported.Expected.Include(version))
        {
            return new Refusal(
                RefusalCode.VersionConflict,
                string.Create(CultureInfo.InvariantCulture, $"{reported.Subject} is at version {version}, not at the expected {reported.Expected.Most}"));
        }

        if (stored is not null && !reported.Graph.Allows(stored.State, reported.State))
        {
            return new Refusal(RefusalCode.InvalidTransition, WhyNot(stored.State, reported));
        }

        var next = new ModuleState(
            reported.AgentId,
            reported.ModuleName,
            reported.State,
            reported.ErrorMessage,
            reported.Details,
            reported.Timestamp > 0 ? reported.Timestamp : now.ToUnixTimeSeconds(),
            reported.RequestId,
            version + 1);
        return Decision.To(next, reported.Accepted(isFirst: stored is null));
    }

    /// <summary>A report without a timestamp is compared without it.</summary>
    private bool SaysTheSameAs(ReportedState other) =>
        State == other.State
        && (other.Timestamp == 0 || Timestamp == other.Timestamp)
        && ErrorMessage == other.ErrorMessage
        && Details.Count == other.Details.Count
        && Details.All(detail => other.Details.TryGetValue(detail.Key, out var value) && value == detail.Value);

    private static string WhyNot(RunState from, ReportedState reported) => reported.Graph.IsTerminal(from)
        ? $"{reported.Subject} is {from.Word()}, which is terminal: it cannot become {reported.State.Word()}"
        : $"{reported.Subject} is {from.Word()} and cannot become {reported.State.Word()}; next is one of: {string.Join(", ", reported.Graph.After(from).Select(RunStateWords.Word))}";
}
