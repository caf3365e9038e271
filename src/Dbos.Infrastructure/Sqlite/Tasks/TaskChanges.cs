using Dbos.Application.Pipeline;
using Dbos.Application.Tasks;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Sqlite.Events;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tasks;
using static Dbos.Infrastructure.Sqlite.Tasks.TaskTable;

namespace Dbos.Infrastructure.Sqlite.Tasks;

/// <summary>
/// What one command changes of tasks, inside the writer's transaction: it reads each row, asks the aggregate, and writes what
/// the aggregate decided. Queues and counters are changed once for all tasks of the command, by <see cref="Complete"/>.
/// </summary>
/// <param name="instant">Of the command.</param>
internal sealed class TaskChanges(SqliteSession session, DateTimeOffset instant)
{
    /// <summary>Of counters: how many tasks there are of a status.</summary>
    public const long TasksByStatus = -1;

    /// <summary>The earliest of what became pending in each queue.</summary>
    private readonly Dictionary<TaskQueue, long> activated = [];

    /// <summary>In whole milliseconds, as everything that is stored of tasks.</summary>
    private readonly DateTimeOffset now = Instant(Milliseconds(instant));

    private readonly Dictionary<string, int> counts = [];
    private readonly Dictionary<MeasurementTaskStatus, int> statuses = [];

    public SqliteSession Session => session;

    public DateTimeOffset Now => now;

    /// <summary>The same instant to the microsecond, by which results and states are ordered.</summary>
    public DateTimeOffset PreciseNow => instant;

    public Answer<Written> Schedule(Scheduling wanted)
    {
        var (task, isTimeGiven, context) = wanted;
        if (FindFirst(context) is { } first)
        {
            return first;
        }

        var found = session.FindTask(task.Id);
        var decision = MeasurementTask.Schedule(found?.Task, task);
        if (found is { } row)
        {
            var stored = session.WithPayload(row);
            context.ReplayDiffered = !stored.Payload.Span.SequenceEqual(task.Payload.Span)
                || !stored.SaysTheSameAs(task, comparesTime: isTimeGiven);
            return new Written(0, Duplicate: true) { ContentDiffers = context.ReplayDiffered };
        }

        session.Insert(decision.Next);
        Add(statuses, decision.Next.Status, 1);
        Activate(decision.Next);
        return Write(decision.Events, context);
    }

    /// <param name="decide">The transition; called with the stored task, without its payload.</param>
    /// <param name="writeWith">Writes what belongs to the transition; called before the task is written. Null: nothing does.</param>
    public Answer<Written> Change(
        string taskId, CommitContext context, Func<MeasurementTask, Answer<Decision<MeasurementTask>>> decide, Action? writeWith = null)
    {
        if (FindFirst(context) is { } first)
        {
            return first;
        }

        if (session.FindTask(taskId) is not { } row)
        {
            return TaskNotFound.Refusal(taskId);
        }

        var answer = decide(row.Task);
        if (answer.IsRefused)
        {
            return answer.Refusal;
        }

        if (answer.Value.IsReplay)
        {
            return new Written(0, Duplicate: true);
        }

        writeWith?.Invoke();
        return Write(row, answer.Value, context);
    }

    /// <summary>Writes what was decided on a row that the command has read.</summary>
    public Written Write(TaskRow row, Decision<MeasurementTask> decision, CommitContext context)
    {
        var (before, next) = (row.Task, decision.Next);
        if (decision.Deletes)
        {
            session.Delete(before.Id, row.PayloadKey);
            Add(statuses, before.Status, -1);
        }
        else
        {
            Move(row, next, reportsEnd: row.ReportsEnd && next.Status == MeasurementTaskStatus.Inflight);
        }

        return Write(decision.Events, context);
    }

    /// <summary>Stores the task as it is now, with its places in the queues.</summary>
    public void Move(TaskRow row, MeasurementTask next, bool reportsEnd)
    {
        var before = row.Task;
        session.Update(before, next, reportsEnd);
        if (row.ReportsEnd && !reportsEnd)
        {
            session.Ended.Add((before.Id, before.LeaseToken));
        }

        if (before.Status == next.Status)
        {
            return;
        }

        Add(statuses, before.Status, -1);
        Add(statuses, next.Status, 1);
        if (next.Status == MeasurementTaskStatus.Pending)
        {
            Activate(next);
        }
        else if (before.Status == MeasurementTaskStatus.Pending && next.Status != MeasurementTaskStatus.Inflight)
        {
            session.Deactivate(TaskQueue.Of(before), Milliseconds(before.VisibleAt), Milliseconds(now));
        }
    }

    public void Remove(string taskId, long? payloadKey, MeasurementTaskStatus status)
    {
        session.Delete(taskId, payloadKey);
        Add(statuses, status, -1);
    }

    public void Count(string name, int amount) => Add(counts, name, amount);

    /// <summary>To be called once all tasks of the command are written.</summary>
    public void Complete()
    {
        foreach (var (queue, due) in activated)
        {
            session.Activate(queue, due, Milliseconds(now));
        }

        foreach (var (name, amount) in counts)
        {
            session.Count(name, amount, bucket: 0);
            session.Count(name, amount, CountBuckets.Of(now));
        }

        foreach (var (status, amount) in statuses)
        {
            session.Count(status.Word(), amount, TasksByStatus);
        }
    }

    /// <returns>What the first command with the key that the caller names was answered; null: there was none, or no key is named.</returns>
    private Written? FindFirst(CommitContext context)
    {
        if (context.Mark is not { } mark || session.MarkNamed(Names.Mark(mark.Name), Milliseconds(now)) is not { } found)
        {
            return null;
        }

        var first = MarkValue.Read(found.Value.Span, mark.Content);
        context.ReplayDiffered = first.ContentDiffers;
        return new Written(first.Version, Duplicate: true);
    }

    private Written Write(IReadOnlyList<AuditEvent> events, CommitContext context)
    {
        if (context.Mark is { } mark)
        {
            var value = MarkValue.Write(version: 0, mark.Content);
            session.Put(new StoredMark(Names.Mark(mark.Name), value, IdempotencyMark.Lifetime), Milliseconds(now));
        }

        foreach (var told in events)
        {
            session.LogEvent(EventWriter.Body(told, context.Origin), now);
        }

        foreach (var name in TaskCounts.Of(events))
        {
            Add(counts, name, 1);
        }

        return new Written(0, Duplicate: false);
    }

    private void Activate(MeasurementTask task)
    {
        var queue = TaskQueue.Of(task);
        var due = Milliseconds(task.VisibleAt);
        activated[queue] = activated.TryGetValue(queue, out var earliest) ? Math.Min(earliest, due) : due;
    }

    private static void Add<TKey>(Dictionary<TKey, int> sums, TKey key, int amount)
        where TKey : notnull => sums[key] = sums.GetValueOrDefault(key) + amount;
}
