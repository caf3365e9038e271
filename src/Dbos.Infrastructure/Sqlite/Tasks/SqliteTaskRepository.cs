using System.Runtime.CompilerServices;
using Dbos.Application;
using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Application.Tasks;
using Dbos.Domain.Answers;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tasks;
using Microsoft.Extensions.Logging;

namespace Dbos.Infrastructure.Sqlite.Tasks;

/// <summary>The task queue in the tables of the embedded store: each operation is one transaction, or several of a bounded size.</summary>
public sealed class SqliteTaskRepository(SqliteDatabase database, DbosPolicy policy, TimeProvider clock, ILogger<SqliteTaskRepository> logger)
    : ITaskRepository
{
    /// <summary>So many tasks are changed in one transaction, as others wait for the writer meanwhile.</summary>
    internal const int MostAtOnce = 100;

    private readonly TurnClock turns = new();
    private readonly TaskSweeps sweeps = new(policy, logger);

    public Task<MeasurementTask?> Find(string taskId, CancellationToken cancellation) =>
        database.Read(session => session.FindTask(taskId) is { } row ? session.WithPayload(row) : null).WaitAsync(cancellation);

    public Task<MeasurementTask?> FindBare(string taskId, CancellationToken cancellation) =>
        database.Read(session => session.FindTask(taskId)?.Task).WaitAsync(cancellation);

    public async Task<IReadOnlyList<TaskDelivery>> FindEnded(IReadOnlyList<TaskDelivery> deliveries, CancellationToken cancellation)
    {
        var ended = await Task.WhenAll(deliveries.Chunk(MostAtOnce).Select(some => database.Read(
            session => some.Where(delivery => !session.IsHeld(delivery)).ToArray(),
            work: StoreWork.Background,
            cost: StorePermits.CostOfUpTo(some.Length))));
        return [.. ended.SelectMany(some => some)];
    }

    public Task<IReadOnlyList<Answer<Written>>> Schedule(IReadOnlyList<Scheduling> tasks, CancellationToken cancellation) =>
        WriteEach(tasks, static (changes, task) => changes.Schedule(task), cancellation);

    public async Task<IReadOnlyList<MeasurementTask>> Take(TakeOrder order, Origin origin, CancellationToken cancellation)
    {
        var taken = new List<MeasurementTask>();
        long bytesLeft = PageRequest.MostBytes;
        bool mayHaveMore;
        try
        {
            do
            {
                var limit = Math.Min(MostAtOnce, order.Limit - taken.Count);
                var (some, isFull, left) = await Write(
                    changes =>
                    {
                        var served = turns.Next(changes.Session, changes.Now);
                        var take = new TaskTake(changes, order, limit, bytesLeft, isFirst: taken.Count == 0, served);
                        return (take.Run(origin), take.IsFull, take.BytesLeft);
                    },
                    cancellation,
                    order.ReportsEnds ? StoreWork.Background : StoreWork.Write,
                    StorePermits.CostOfUpTo(limit));
                taken.AddRange(some);
                bytesLeft = left;
                mayHaveMore = some.Count == limit && !isFull && taken.Count < order.Limit;
            }
            while (mayHaveMore);
        }
        catch (Exception outage) when (
            taken.Count > 0 && (outage is StoreUnavailableException or StoreBusyException or OperationCanceledException))
        {
            // What was leased must be returned: it would be held by no caller until the lease expires.
        }

        return taken;
    }

    public Task<IReadOnlyList<Answer<Written>>> Acknowledge(IReadOnlyList<Acknowledgement> acks, CancellationToken cancellation) =>
        WriteEach(
            acks,
            static (changes, ack) => changes.Change(ack.TaskId, ack.Context, task => task.Acknowledge(ack.LeaseToken, changes.Now)),
            cancellation);

    public Task<Answer<Written>> AcknowledgeWith(DeliveryReport report, Acknowledgement ack, CancellationToken cancellation) => Write(
        changes => changes.EndWith(report, ack.TaskId, ack.Context, task => task.Acknowledge(ack.LeaseToken, changes.Now)),
        cancellation);

    public Task<Answer<Written>> NegativelyAcknowledge(NegativeAcknowledgement nack, CancellationToken cancellation) => Write(
        changes =>
        {
            Answer<Decision<MeasurementTask>> Decide(MeasurementTask task) => nack.Decide(task, changes.Now);
            return nack.Report is { } report
                ? changes.EndWith(report, nack.TaskId, nack.Context, Decide)
                : changes.Change(nack.TaskId, nack.Context, Decide);
        },
        cancellation);

    public Task<Answer<Written>> ExtendLease(LeaseExtension extension, CancellationToken cancellation) => Write(
        changes =>
        {
            var until = changes.Now + extension.Lease;
            var answer = changes.Change(extension.TaskId, extension.Context, task => task.ExtendLease(extension.LeaseToken, until));
            if (answer is { IsRefused: false, Value.Duplicate: false })
            {
                changes.Count(TaskCounts.LeaseExtended, 1);
            }

            return answer;
        },
        cancellation);

    public Task Release(IReadOnlyList<TaskDelivery> deliveries, Origin origin, CancellationToken cancellation) => WriteEach(
        deliveries,
        (changes, delivery) => changes.Change(
            delivery.TaskId, new CommitContext { Origin = origin }, task => task.Release(delivery.LeaseToken, changes.Now)),
        cancellation);

    public Task<Answer<Written>> Cancel(Cancellation cancel, CancellationToken cancellation) => Write(
        changes => changes.Change(cancel.TaskId, cancel.Context, task => task.Cancel(cancel.Reason, changes.Now)), cancellation);

    public Task<IReadOnlyList<Answer<Written>>> Requeue(
        IReadOnlyList<string> taskIds, Origin origin, CancellationToken cancellation) => WriteEach(
        taskIds,
        (changes, taskId) => changes.Change(taskId, new CommitContext { Origin = origin }, task => task.Requeue(changes.Now)),
        cancellation);

    public Task<DeadLetterCount> CountDeadLetters(TaskFilter filter, CancellationToken cancellation) => database.Read(
        session => TaskStatistics.CountDeadLetters(session, filter), cost: StorePermits.CostOfEntries(DeadLetterCount.MostLookedAt)).WaitAsync(cancellation);

    public Task<Answer<Written>> DeleteDeadLetter(string taskId, CommitContext context, CancellationToken cancellation) =>
        Write(changes => changes.Change(taskId, context, static task => task.Delete()), cancellation);

    public async Task<int> ExpireLeases(Origin origin, CancellationToken cancellation) =>
        await database.Read(session => TaskSweeps.HasExpired(session, Now)).WaitAsync(cancellation)
            ? await Write(
                changes => sweeps.Expire(changes, origin), cancellation, StoreWork.Background, StorePermits.CostOfUpTo(MostAtOnce))
            : 0;

    public async Task<int> PurgeEnded(CancellationToken cancellation) =>
        await database.Read(session => sweeps.HasEnded(session, Now)).WaitAsync(cancellation)
            ? await Write(sweeps.Purge, cancellation, StoreWork.Background, StorePermits.CostOfUpTo(MostAtOnce))
            : 0;

    public Task<Page<MeasurementTask>> List(
        MeasurementTaskStatus? status, TaskFilter filter, PageRequest page, CancellationToken cancellation) =>
        database.Read(
            session => new TaskList(session, filter, Now - policy.CompletedTaskRetention).Read(status, page),
            cost: StorePermits.CostOfEntries(page.Limit)).WaitAsync(cancellation);

    public Task<QueueStats> Stats(CancellationToken cancellation) =>
        database.Read(session => TaskStatistics.Read(session, Now, Now - policy.CompletedTaskRetention)).WaitAsync(cancellation);

    /// <summary>In whole milliseconds: an aggregate decides on no finer time than what is stored.</summary>
    private DateTimeOffset Now => TaskTable.Instant(clock.GetUtcNow().ToUnixTimeMilliseconds());

    /// <summary>Slices of the items, each in a transaction of its own; the writer commits them together where nothing else waits.</summary>
    private async Task<IReadOnlyList<Answer<Written>>> WriteEach<T>(
        IReadOnlyList<T> items,
        Func<TaskChanges, T, Answer<Written>> write,
        CancellationToken cancellation,
        [CallerMemberName] string operation = "")
    {
        var slices = await Task.WhenAll(items.Chunk(MostAtOnce).Select(slice => Write(
            changes =>
            {
                var answers = new Answer<Written>[slice.Length];
                for (var i = 0; i < slice.Length; i++)
                {
                    answers[i] = write(changes, slice[i]);
                }

                return answers;
            },
            cancellation,
            operation: operation)));
        return slices is [var only] ? only : [.. slices.SelectMany(answers => answers)];
    }

    private Task<T> Write<T>(
        Func<TaskChanges, T> write,
        CancellationToken cancellation,
        StoreWork work = StoreWork.Write,
        int cost = 1,
        [CallerMemberName] string operation = "") =>
        database.Write(
            session =>
            {
                var changes = new TaskChanges(session, clock.GetUtcNow());
                var answer = write(changes);
                changes.Complete();
                return answer;
            },
            cancellation,
            operation,
            work,
            cost);
}
