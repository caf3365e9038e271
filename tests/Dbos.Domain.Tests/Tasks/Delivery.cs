using Dbos.Domain.Tasks;

namespace Dbos.Domain.Tests.Tasks;

/// <summary>What the store's take does with a task.</summary>
internal static class Delivery
{
    public static readonly TimeSpan Lease = TimeSpan.FromMinutes(5);

    public static MeasurementTask DeliveredAt(this MeasurementTask task, DateTimeOffset now) => task with
    {
        Status = MeasurementTaskStatus.Inflight,
        LeaseToken = task.LeaseToken + 1,
        VisibleAt = now + Lease,
        Version = task.Version + 1,
    };
}
