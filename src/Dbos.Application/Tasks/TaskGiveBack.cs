using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Domain.Tasks;

namespace Dbos.Application.Tasks;

/// <summary>Returns deliveries that never reached their taker; nothing counts them as failures.</summary>
public sealed class TaskGiveBack(ITaskRepository tasks, TimeProvider clock)
{
    public Task GiveBack(IReadOnlyList<MeasurementTask> undelivered, Origin origin) =>
        OptimisticWrite.RunAll(
            [
                .. undelivered.Select(task => new Change<MeasurementTask>(
                    new UnitOfWork { Origin = origin },
                    task,
                    found => found is null ? TaskNotFound.Refusal(task.Id) : found.Release(task.LeaseToken, clock.GetUtcNow()))),
            ],
            drafts => tasks.Save(drafts, CancellationToken.None));
}
