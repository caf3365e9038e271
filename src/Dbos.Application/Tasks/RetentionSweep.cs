using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Domain.Tasks;

namespace Dbos.Application.Tasks;

/// <summary>Purges completed and cancelled tasks that were kept for long enough. Dead letters stay.</summary>
public sealed class RetentionSweep(ITaskRepository tasks, DbosPolicy policy, TimeProvider clock) : Sweep<MeasurementTask>("retention-sweep")
{
    private DateTimeOffset EndedBy => clock.GetUtcNow() - policy.CompletedTaskRetention;

    protected override Task<IReadOnlyList<MeasurementTask>> Overdue(int limit, CancellationToken cancellation) =>
        tasks.EndedBy(EndedBy, limit, cancellation);

    protected override Decision<MeasurementTask> Decide(MeasurementTask overdue) => overdue.Purge(EndedBy);

    protected override Task<IReadOnlyList<Saved<MeasurementTask>>> Save(
        IReadOnlyList<Draft<MeasurementTask>> changed, CancellationToken cancellation) => tasks.Save(changed, cancellation);
}
