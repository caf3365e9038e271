using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Domain.Tasks;

namespace Dbos.Application.Tasks;

/// <summary>Returns expired leases to the queue, or to the dead-letter queue when they expired too often.</summary>
public sealed class LeaseSweep(ITaskRepository tasks, TimeProvider clock) : Sweep<MeasurementTask>("lease-sweep")
{
    protected override Task<IReadOnlyList<MeasurementTask>> Overdue(int limit, CancellationToken cancellation) =>
        tasks.ExpiredLeases(limit, cancellation);

    protected override Decision<MeasurementTask> Decide(MeasurementTask overdue) => overdue.ExpireLease(clock.GetUtcNow());

    protected override Task<IReadOnlyList<Saved<MeasurementTask>>> Save(
        IReadOnlyList<Draft<MeasurementTask>> changed, CancellationToken cancellation) => tasks.Save(changed, cancellation);
}
