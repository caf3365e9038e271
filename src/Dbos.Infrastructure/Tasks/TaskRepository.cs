using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Application.Tasks;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Tasks;

public sealed class TaskRepository(IStore store, EventWriter events, Heartbeats heartbeats, TimeProvider clock) : ITaskRepository
{
    /// <summary>In which they are listed one after the other.</summary>
    private static readonly MeasurementTaskStatus[] Statuses =
    [
        MeasurementTaskStatus.Pending,
        MeasurementTaskStatus.Inflight,
        MeasurementTaskStatus.Failed,
        MeasurementTaskStatus.Completed,
        MeasurementTaskStatus.Cancelled,
    ];

    private readonly HeldTasks held = new();
    private readonly ServedAgents served = new();
    private readonly Records<MeasurementTask> records = new(store, events, heartbeats, Rehydrate, task => task.Payload);

    public Task<MeasurementTask?> Find(string taskId, CancellationToken cancellation) => records.Find(KeyOf(taskId), cancellation);

    public Task<MeasurementTask?> FindBare(string taskId, CancellationToken cancellation) =>
        records.FindBare(KeyOf(taskId), cancellation);

    public MeasurementTask? Recall(string taskId) => held.Find(taskId);

    public async Task<IReadOnlyList<Saved<MeasurementTask>>> Save(
        IReadOnlyList<Draft<MeasurementTask>> drafts, CancellationToken cancellation)
    {
        var saved = await records.Save(drafts, CommitOf, cancellation);
        foreach (var (draft, outcome) in drafts.Zip(saved))
        {
            held.Hear(draft.Next, isSo: outcome is Saved<MeasurementTask>.Done);
        }

        return saved;
    }

    public async Task<TakenTasks> Take(TakeOrder order, CommitContext work, CancellationToken cancellation)
    {
        var taken = await new TaskTaker(store, events, served, order, clock, work.Origin).Run(cancellation);
        var tasks = taken.OrderBy(delivered => delivered.Score).Select(delivered => records.Decode(delivered.Record)).ToArray();
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (var task in tasks)
        {
            held.Hear(task, isSo: true);
            served.Hear(task.AgentId, now);
        }

        return new TakenTasks(tasks);
    }

    public async Task<Page<MeasurementTask>> List(
        MeasurementTaskStatus? status, TaskFilter filter, PageRequest page, CancellationToken cancellation)
    {
        var listed = new Page<MeasurementTask>([], null);
        var (at, cursor) = Place(page.After);
        foreach (var each in Statuses.Where(each => status is null ? Array.IndexOf(Statuses, each) >= at : each == status))
        {
            var isFirst = listed.Items.Count == 0;
            var left = new PageRequest(page.Limit - listed.Items.Count, string.Empty);
            var more = left.Size > 0 && (isFirst || listed.Bytes < PageRequest.MostBytes)
                ? await List(each, filter, left, cursor, listed.Bytes, cancellation)
                : new Page<MeasurementTask>([], PageCursor.Start);
            listed = new Page<MeasurementTask>([.. listed.Items, .. more.Items], more.Next is { } next ? Place(each, next) : null)
            {
                Bytes = more.Bytes,
            };
            if (listed.Next is not null)
            {
                break;
            }

            cursor = null;
        }

        return listed;
    }

    public Task<IReadOnlyList<MeasurementTask>> ExpiredLeases(int limit, CancellationToken cancellation) =>
        records.Overdue(Names.Tasks(MeasurementTaskStatus.Inflight.Word()), clock.GetUtcNow(), limit, Names.Task, cancellation);

    public async Task<IReadOnlyList<MeasurementTask>> EndedBy(DateTimeOffset instant, int limit, CancellationToken cancellation)
    {
        var completed = await records.Overdue(Names.Tasks(MeasurementTaskStatus.Completed.Word()), instant, limit, Names.Task, cancellation);
        var cancelled = await records.Overdue(Names.Tasks(MeasurementTaskStatus.Cancelled.Word()), instant, limit, Names.Task, cancellation);
        return [.. completed, .. cancelled];
    }

    public Task<QueueStats> Stats(CancellationToken cancellation) => TaskStatistics.Read(store, clock.GetUtcNow(), cancellation);

    internal static MeasurementTask Rehydrate(MeasurementTask task, StoredRecord record)
    {
        var whole = task with { Payload = record.Payload, LeaseToken = record.Deliveries, Version = record.Version };
        return record.LeasedUntil is { } leasedUntil
            ? whole with { Status = MeasurementTaskStatus.Inflight, VisibleAt = leasedUntil }
            : whole;
    }

    /// <summary>A place in the list of all statuses is one in the list of one status, and which.</summary>
    private static PageCursor Place(MeasurementTaskStatus status, PageCursor cursor) =>
        cursor with { Member = $"{(char)('0' + Array.IndexOf(Statuses, status))}{cursor.Member}" };

    private static (int Status, PageCursor? Cursor) Place(PageCursor? place)
    {
        if (place is not { Member: [var status, .. var member] })
        {
            return (0, null);
        }

        var cursor = place with { Member = member };
        return (status - '0', cursor == PageCursor.Start ? null : cursor);
    }

    private Task<Page<MeasurementTask>> List(
        MeasurementTaskStatus status, TaskFilter filter, PageRequest page, PageCursor? cursor, long bytes, CancellationToken cancellation)
    {
        var index = TaskIndexes.Of(status, filter);
        var isAhead = status is MeasurementTaskStatus.Pending or MeasurementTaskStatus.Inflight;
        return records.List(
            store.AllPartitions(),
            isAhead ? Orders.Lowest : Orders.Highest,
            (partition, count) => isAhead
                ? store.Lowest(new StoreKey(partition, index), cursor, long.MaxValue, count, cancellation)
                : store.Highest(new StoreKey(partition, index), cursor, count, cancellation),
            Names.Task,
            page,
            cancellation,
            bytes);
    }

    private Commit CommitOf(Draft<MeasurementTask> draft)
    {
        var (before, next, deletes, work) = draft;
        var (indexes, lanes) = TaskIndexes.Moves(before, deletes ? null : next);
        var commit = records.CommitOf(next, KeyOf(next.Id), work);
        return commit with
        {
            ExpectedVersion = before?.Version ?? 0,
            Deletes = deletes,
            Lease = next.Status == MeasurementTaskStatus.Inflight ? LeaseChange.Until(next.VisibleAt)
                : before?.Status == MeasurementTaskStatus.Inflight ? LeaseChange.Ends
                : default,
            Indexes = indexes,
            Lanes = lanes,
            Counts = TaskCounts.Of(work.Events),
        };
    }

    private StoreKey KeyOf(string taskId) => new(store.PartitionOf(taskId), Names.Task(taskId));
}
