using Dbos.Domain.Audit;

namespace Dbos.Infrastructure.Tasks;

/// <summary>What is counted of tasks, over all time and for the rates of the last minute.</summary>
internal static class TaskCounts
{
    public const string Scheduled = "scheduled";
    public const string Delivered = "delivered";
    public const string Completed = "completed";
    public const string Nacked = "nacked";
    public const string LeaseExpired = "lease_expired";

    /// <summary>Routine, and no event.</summary>
    public const string LeaseExtended = "lease_extended", Purged = "purged";

    private static readonly Dictionary<string, string> Names = new()
    {
        [EventTypes.TaskScheduled] = Scheduled,
        [EventTypes.TaskAcknowledged] = Completed,
        [EventTypes.TaskNacked] = Nacked,
        [EventTypes.TaskLeaseExpired] = LeaseExpired,
        [EventTypes.TaskReleased] = "released",
        [EventTypes.TaskDeadLettered] = "dead_lettered",
        [EventTypes.TaskRequeued] = "requeued",
        [EventTypes.TaskCancelled] = "cancelled",
        [EventTypes.TaskDeleted] = "deleted",
        [EventTypes.TaskRepaired] = "repaired",
    };

    public static IReadOnlyList<string> All { get; } = [Delivered, LeaseExtended, Purged, .. Names.Values];

    /// <summary>What a commit with these events counts.</summary>
    public static IReadOnlyList<string> Of(IReadOnlyList<AuditEvent> events) =>
        [.. from told in events where Names.ContainsKey(told.Type) select Names[told.Type]];
}
