using Dbos.Chaos.Histories;
using Grpc.Core;

namespace Dbos.Chaos.Checking;

/// <summary>
/// Holds what DBOS has at the end against what it told its clients. A call whose outcome is unknown may have been
/// done or not: either is right.
/// </summary>
internal static class Checker
{
    private static readonly string[] Faults = [nameof(StatusCode.Internal), nameof(StatusCode.Unknown), nameof(StatusCode.Unimplemented)];

    /// <returns>None: every promise was kept.</returns>
    public static IReadOnlyList<Violation> Check(IReadOnlyList<Call> calls, FinalState final) =>
    [
        .. AgentChecks.Check(calls, final),
        .. ResultChecks.Check(calls, final),
        .. StateChecks.Check(calls, final),
        .. TaskChecks.Check(calls, final),
        .. LeaseChecks.Check(calls, final),
        .. ReportChecks.Check(calls, final),
        .. EventChecks.Check(calls, final),
        .. CauseChecks.Check(calls, final),
        .. final.Inconsistencies.Select(found => new Violation(Promise.StoreInconsistent, found)),
        .. calls.Where(call => Faults.Contains(call.Code))
            .Select(call => new Violation(Promise.Failed, $"{call.Method} of {call.Subject} was answered {call.Code} {call.Detail}")),
    ];

    /// <summary>The calls of some methods, those of each subject together.</summary>
    internal static IEnumerable<IGrouping<string, Call>> BySubject(this IEnumerable<Call> calls, params Method[] methods) =>
        calls.Where(call => methods.Contains(call.Method)).GroupBy(call => call.Subject);
}
