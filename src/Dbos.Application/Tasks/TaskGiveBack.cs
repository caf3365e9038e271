using Dbos.Application.Pipeline;
using Dbos.Domain.Tasks;

namespace Dbos.Application.Tasks;

/// <summary>Returns deliveries that never reached their taker; nothing counts them as failures.</summary>
public sealed class TaskGiveBack(ITaskRepository tasks, TimeProvider clock)
{
    public Task GiveBack(IReadOnlyList<MeasurementTask> undelivered, Origin origin)
    {
        var tokens = undelivered.ToDictionary(task => task.Id, task => task.LeaseToken);
        return tasks.ChangeAll(
            undelivered.Select(task => (task.Id, (MeasurementTask?)task)),
            origin,
            task => task.Release(tokens[task.Id], clock.GetUtcNow()),
            CancellationToken.None);
    }
}
