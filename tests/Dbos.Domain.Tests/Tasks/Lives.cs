using Dbos.Domain.Answers;
using Dbos.Domain.Tasks;

namespace Dbos.Domain.Tests.Tasks;

/// <summary>A task in each status of its life, and short words for what tests do with it.</summary>
internal static class Lives
{
    /// <summary>Of the latest delivery of every task here that was delivered.</summary>
    public const long Token = 3;

    public static readonly MeasurementTask Pending = MeasurementTask.Schedule(null, Samples.Task).Next;
    public static readonly MeasurementTask Inflight = Pending.Deliver(Token, Samples.Now + Delivery.Lease, Samples.Now).Next;
    public static readonly MeasurementTask Returned = Inflight.Release(Token, Samples.Now).Next;
    public static readonly MeasurementTask Completed = Inflight.Acknowledge(Token, Samples.Now).Value.Next;
    public static readonly MeasurementTask Failed = (Inflight with { Failures = 3 }).Nack(Token).Value.Next;
    public static readonly MeasurementTask Cancelled = Inflight.Cancel("obsolete", Samples.Now).Value.Next;

    /// <summary>Returned after half a minute, for the reason "no route".</summary>
    public static Answer<Decision<MeasurementTask>> Nack(this MeasurementTask task, long token, string reason = "no route") =>
        task.NegativelyAcknowledge(token, [TimeSpan.FromSeconds(30)], reason, Samples.Now);

    public static void ShouldBeReplayOf(this Decision<MeasurementTask> decision, MeasurementTask task)
    {
        decision.IsReplay.Should().BeTrue();
        decision.Next.Should().BeSameAs(task);
        decision.Events.Should().BeEmpty();
    }
}
