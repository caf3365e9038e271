using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Domain.Tasks;

namespace Dbos.Application.Tasks;

/// <summary>Changes to tasks that must be there.</summary>
internal static class TaskChanges
{
    public static Task<Answer<Written>> Change(
        this ITaskRepository tasks,
        string taskId,
        CommitContext work,
        Func<MeasurementTask, Answer<Decision<MeasurementTask>>> decide,
        CancellationToken cancellation) =>
        OptimisticWrite.Run(
            tasks.ChangeOf(taskId, work, decide, cancellation),
            save: async draft => (await tasks.Save([draft], cancellation))[0]);

    /// <summary>Decided on the task as this process knew it last: whoever took it here is likely to end its delivery here.</summary>
    public static Change<MeasurementTask> ChangeOf(
        this ITaskRepository tasks,
        string taskId,
        CommitContext work,
        Func<MeasurementTask, Answer<Decision<MeasurementTask>>> decide,
        CancellationToken cancellation) =>
        new(work, tasks.Recall(taskId), IfThere(taskId, decide)) { Read = () => tasks.FindBare(taskId, cancellation) };

    /// <summary>Those that were read, each decided and answered by itself.</summary>
    public static Task<Answer<Written>[]> ChangeAll(
        this ITaskRepository tasks,
        IEnumerable<(string TaskId, MeasurementTask? Task)> read,
        Origin origin,
        Func<MeasurementTask, Answer<Decision<MeasurementTask>>> decide,
        CancellationToken cancellation) =>
        OptimisticWrite.RunAll(
            [.. read.Select(one => new Change<MeasurementTask>(new CommitContext { Origin = origin }, one.Task, IfThere(one.TaskId, decide)))],
            drafts => tasks.Save(drafts, cancellation));

    private static Func<MeasurementTask?, Answer<Decision<MeasurementTask>>> IfThere(
        string taskId, Func<MeasurementTask, Answer<Decision<MeasurementTask>>> decide) =>
        task => task is null ? TaskNotFound.Refusal(taskId) : decide(task);
}
