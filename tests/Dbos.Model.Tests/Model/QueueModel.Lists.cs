using Dbos.Application.Tasks;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Store;

namespace Dbos.Model.Tests.Model;

/// <summary>Where tasks are found, and in which order.</summary>
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

    /// <param name="only">Null: every status, one after the other.</param>
    public IEnumerable<ModelTask> Listed(MeasurementTaskStatus? only, TaskFilter filter) =>
        from status in StatusesAsListed
        where only is null || status == only
        from task in Entries(status, filter)
        select task;

    /// <summary>Those ahead lowest first, those that ended latest first.</summary>
    private IEnumerable<ModelTask> Entries(MeasurementTaskStatus status, TaskFilter filter)
    {
        var ascending = Tasks.Where(task => task.Status == status && task.Matches(filter)).OrderBy(ScoreOf).ThenBy(task => task.Id, StringComparer.Ordinal);
        return status is MeasurementTaskStatus.Pending or MeasurementTaskStatus.Inflight ? ascending : ascending.Reverse();
    }

    /// <summary>All index entries there are to be, but those of turns.</summary>
    public IEnumerable<(string Index, string Member, long Score)> IndexEntries() =>
        from task in Tasks from index in IndexesOf(task) select (index, task.Id, ScoreOf(task));

    /// <summary>Pending: higher priority first, then by when it is due. Inflight: by when the lease expires. Then by when it ended.</summary>
    private static long ScoreOf(ModelTask task) => task.Status switch
    {
        MeasurementTaskStatus.Pending => Bands.Score(MeasurementTask.HighestPriority - task.Priority, task.Visible.Milliseconds),
        MeasurementTaskStatus.Inflight => task.Visible.Milliseconds,
        _ => task.Ended!.Value.Milliseconds,
    };

    private static IEnumerable<string> IndexesOf(ModelTask task)
    {
        var word = task.Status.Word();
        yield return Names.Tasks(word);
        if (task.Agent.Length > 0)
        {
            yield return Names.TasksOfAgent(word, task.Agent);
        }

        if (task.Module.Length > 0)
        {
            yield return Names.TasksOfModule(word, task.Module);
        }

        if (task.Status == MeasurementTaskStatus.Pending || (task.Agent.Length > 0 && task.Module.Length > 0))
        {
            yield return Names.TasksOf(word, task.Agent, task.Module);
        }
    }
}
