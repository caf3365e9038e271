namespace Dbos.Infrastructure.Tasks;

/// <summary>What is counted of tasks, over all time and for the rates of the last minute.</summary>
internal static class TaskCounts
{
    public const string Scheduled = "scheduled";
    public const string Delivered = "delivered";
    public const string Completed = "completed";
    public const string Nacked = "nacked";
    public const string LeaseExpired = "lease_expired";
    public const string LeaseExtended = "lease_extended";
    public const string Released = "released";
    public const string DeadLettered = "dead_lettered";
    public const string Requeued = "requeued";
    public const string Cancelled = "cancelled";
    public const string Deleted = "deleted";
    public const string Purged = "purged";
    public const string Repaired = "repaired";

    public static IReadOnlyList<string> All { get; } =
    [
        Scheduled, Delivered, Completed, Nacked, LeaseExpired, LeaseExtended, Released, DeadLettered, Requeued, Cancelled, Deleted, Purged, Repaired,
    ];
}
