using Dbos.Application.Tasks;
using Dbos.Domain.Tasks;

namespace Dbos.Model.Tests.Model;

/// <summary>Which tasks are listed, and in which order.</summary>
internal sealed partial class QueueModel
{
    private static readonly MeasurementTaskStatus[] StatusesAsListed =
    [
        MeasurementTaskStatus.Pending,
        MeasurementTaskStatus.Inflight,
        MeasurementTaskStatus.Failed,
        MeasurementTaskStatus.Completed,
        MeasurementTaskStatus.Cancelled,
    ];

    /// <summary>In order; those of equal rank in the order in which the store listed them.</summary>
    /// <param name="only">Null: every status, one after the other.</param>
    /// <param name="listed">Ids as the store listed them.</param>
    public IEnumerable<ModelTask> Listed(MeasurementTaskStatus? only, TaskFilter filter, IReadOnlyList<string> listed) =>
        from task in Counted
        where (only is null || task.Status == only) && task.Matches(filter)
        orderby Array.IndexOf(StatusesAsListed, task.Status), RankOf(task), listed.PlaceOf(task)
        select task;

    /// <summary>Pending: higher priority first, then by when it is due. Inflight: by when the lease expires. Ended: the latest first.</summary>
    private static (int, long) RankOf(ModelTask task) => task.Status switch
    {
        MeasurementTaskStatus.Pending => (-task.Priority, task.Visible.Milliseconds),
        MeasurementTaskStatus.Inflight => (0, task.Visible.Milliseconds),
        _ => (0, -task.Ended!.Value.Milliseconds),
    };
}
