using Dbos.Domain.Tasks;

namespace Dbos.Domain.Tests.Tasks;

/// <summary>A task that is due is delivered with the next token.</summary>
internal static class Delivery
{
    public static readonly TimeSpan Lease = TimeSpan.FromMinutes(5);

    public static MeasurementTask DeliveredAt(this MeasurementTask task, DateTimeOffset now) =>
        task.Deliver(task.LeaseToken + 1, now + Lease, now).Next;
}
