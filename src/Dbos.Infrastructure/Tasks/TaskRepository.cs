using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Application.Tasks;
using Dbos.Domain.Audit;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Tasks;

public sealed class TaskRepository(IStore store, EventWriter events, StoreSettings settings, TimeProvider clock) : ITaskRepository
{
    private readonly Records<MeasurementTask> records = new(store, events, Rehydrate, task => task.Payload);

    public Task<MeasurementTask?> Find(string taskId, CancellationToken cancellation) => records.Find(KeyOf(taskId), cancellation);

    public Task<Saved<MeasurementTask>> Save(MeasurementTask task, UnitOfWork work, CancellationToken cancellation)
    {
        var visibleAt = task.VisibleAt.ToUnixTimeMilliseconds();
        IndexChange[] indexes = (task.Version, task.Status) switch
        {
            (1, _) => [new(Names.PendingTasks, task.Id, visibleAt)],
            (_, MeasurementTaskStatus.Pending) => [new(Names.LeasedTasks, task.Id, null), new(Names.PendingTasks, task.Id, visibleAt)],
            (_, MeasurementTaskStatus.Failed) =>
                [new(Names.LeasedTasks, task.Id, null), new(Names.DeadTasks, task.Id, clock.GetUtcNow().ToUnixTimeMilliseconds())],
            (_, MeasurementTaskStatus.Completed) => [new(Names.LeasedTasks, task.Id, null)],
            _ => throw new InvalidOperationException($"only a take makes a task {task.Status.Word()}"),
        };
        return records.Save(
            task,
            KeyOf(task.Id),
            work,
            indexes,
            cancellation,
            endsLease: task.Version > 1,
            lifetime: task.Status == MeasurementTaskStatus.Completed ? settings.CompletedTaskRetention : null);
    }

    public async Task<TakenTasks> Take(
        DateTimeOffset? due, int limit, TimeSpan visibilityTimeout, UnitOfWork work, CancellationToken cancellation)
    {
        var upTo = (due ?? clock.GetUtcNow()).ToUnixTimeMilliseconds();
        var taken = new List<Delivery>();
        var budget = PageRequest.MostBytes;
        while (taken.Count < limit)
        {
            var heads = await PartitionMerge.First(
                store.AllPartitions(),
                limit - taken.Count,
                Orders.Lowest,
                (partition, count) => store.Lowest(new StoreKey(partition, Names.PendingTasks), upTo, count, cancellation));
            if (heads.Items.Count == 0)
            {
                break;
            }

            var had = taken.Count;
            var shares = Shares(heads);
            if (had == 0)
            {
                // By itself, so that what the very oldest takes beyond its share is gone from the others'.
                await TakeFrom(shares[..1], among: heads.Items.Count, atLeastOne: true);
                await TakeFrom(shares[1..], among: heads.Items.Count - shares[0].Count, atLeastOne: false);
            }
            else
            {
                await TakeFrom(shares, among: heads.Items.Count, atLeastOne: false);
            }

            if (taken.Count == had && had > 0)
            {
                // What is left would not fit into this reply, or other takers were faster.
                break;
            }
        }

        return new TakenTasks([.. taken.OrderBy(delivered => delivered.Due).Select(delivered => records.Decode(delivered.Record))]);

        async Task TakeFrom(Share[] shares, int among, bool atLeastOne)
        {
            var left = (long)budget;
            var deliveries = await Task.WhenAll(shares.Select(share => store.Take(
                TakeOf(share, upTo, visibilityTimeout, (int)(left * share.Count / among), atLeastOne, work.Origin), cancellation)));
            foreach (var delivered in deliveries.SelectMany(some => some))
            {
                taken.Add(delivered);
                budget -= delivered.Record.Payload.Length + delivered.Record.Document.Length;
            }
        }
    }

    public Task<IReadOnlyList<MeasurementTask>> ExpiredLeases(int limit, CancellationToken cancellation) =>
        records.Overdue(Names.LeasedTasks, clock.GetUtcNow(), limit, Names.Task, cancellation);

    /// <summary>
    /// How many each partition gives, so that together they give the oldest; first the partition of the very
    /// oldest. All that was seen of a partition is offered, as other takers may be faster with some of it. Each
    /// has its share of the bytes of a reply; only the very oldest is taken whatever its size, as otherwise it
    /// would never be.
    /// </summary>
    private static Share[] Shares(Merged<IndexEntry> heads) =>
    [
        .. from entry in heads.Items
           group entry by entry.Partition into wanted
           select new Share(
               wanted.Key,
               wanted.Count(),
               heads.Windows.First(window => window.Count > 0 && window[0].Partition == wanted.Key)),
    ];

    private static MeasurementTask Rehydrate(MeasurementTask task, StoredRecord record)
    {
        var whole = task with { Payload = record.Payload, LeaseToken = record.Deliveries, Version = record.Version };
        return record.LeasedUntil is { } leasedUntil
            ? whole with { Status = MeasurementTaskStatus.Inflight, VisibleAt = leasedUntil }
            : whole;
    }

    private Take TakeOf(Share share, long upTo, TimeSpan lease, int byteBudget, bool atLeastOne, Origin origin)
    {
        var told = new AuditEvent(EventTypes.TasksRetrieved, "due tasks taken");
        return new Take(
            share.Partition,
            Names.PendingTasks,
            Names.LeasedTasks,
            [.. share.Offered.Select(entry => new Candidate(entry.Member, Names.Task(entry.Member)))],
            upTo,
            lease,
            share.Count,
            byteBudget,
            atLeastOne,
            events.WriteAround(told, origin, "lease_tokens"));
    }

    private StoreKey KeyOf(string taskId) => new(store.PartitionOf(taskId), Names.Task(taskId));

    private sealed record Share(int Partition, int Count, IReadOnlyList<IndexEntry> Offered);
}
