namespace Dbos.Chaos.Histories;

/// <summary>All that DBOS has after the last call.</summary>
/// <param name="Events">Those of one subject in the order of their commits.</param>
/// <param name="Inconsistencies">What CheckConsistency found.</param>
internal sealed record FinalState(
    IReadOnlyList<Agent> Agents,
    IReadOnlyList<ModuleState> States,
    IReadOnlyList<MeasurementResult> Results,
    IReadOnlyList<WireTask> Tasks,
    IReadOnlyList<LoggedEvent> Events,
    IReadOnlyList<string> Inconsistencies);
