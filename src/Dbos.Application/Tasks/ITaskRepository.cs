using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Domain.Tasks;

namespace Dbos.Application.Tasks;

/// <summary>
/// The task queue. Each write is one commit of the task, its places in the queue and its lists, its events and its idempotency
/// mark. A write that the task's life does not allow is refused with the aggregate's sentence, and changes nothing.
/// </summary>
/// <remarks>Every method throws <see cref="StoreUnavailableException"/> when the store does not answer.</remarks>
public interface ITaskRepository
{
    /// <returns>Null: there is no task of this id.</returns>
    Task<MeasurementTask?> Find(string taskId, CancellationToken cancellation);

    /// <summary>Reads all but the payload.</summary>
    Task<MeasurementTask?> FindBare(string taskId, CancellationToken cancellation);

    /// <summary>
    /// Which of these deliveries are over: their tasks ended, went back to the queue, were delivered again or are gone. Those in a
    /// part of the store that does not answer are not among them.
    /// </summary>
    Task<IReadOnlyList<TaskDelivery>> FindEnded(IReadOnlyList<TaskDelivery> deliveries, CancellationToken cancellation);

    /// <summary>
    /// Stores tasks whose ids are not known. A known id is a duplicate: the stored task stays, and <see cref="Written.ContentDiffers"/>
    /// says whether the caller asked for another one.
    /// </summary>
    /// <returns>In the order of the tasks.</returns>
    Task<IReadOnlyList<Answer<Written>>> Schedule(IReadOnlyList<Scheduling> tasks, CancellationToken cancellation);

    /// <summary>
    /// Leases due tasks to the caller alone: a higher priority first; within one, agents by turns; within an agent the longest due
    /// first. Fewer come where fewer are due, or where their payloads fill a reply.
    /// </summary>
    Task<IReadOnlyList<MeasurementTask>> Take(TakeOrder order, Origin origin, CancellationToken cancellation);

    /// <returns>In the order of the acknowledgements.</returns>
    Task<IReadOnlyList<Answer<Written>>> Acknowledge(IReadOnlyList<Acknowledgement> acks, CancellationToken cancellation);

    /// <summary>
    /// Acknowledges with what was measured: the completion, the result and the state are one commit. A result with other data than the
    /// stored one is not written; <see cref="Written.ContentDiffers"/> says so.
    /// </summary>
    Task<Answer<Written>> AcknowledgeWith(DeliveryReport report, Acknowledgement ack, CancellationToken cancellation);

    /// <summary>Where a state is reported with it, both are one commit.</summary>
    Task<Answer<Written>> NegativelyAcknowledge(NegativeAcknowledgement nack, CancellationToken cancellation);

    Task<Answer<Written>> ExtendLease(LeaseExtension extension, CancellationToken cancellation);

    /// <summary>Puts deliveries back that never reached their taker. Those that ended otherwise meanwhile stay as they are.</summary>
    Task Release(IReadOnlyList<TaskDelivery> deliveries, Origin origin, CancellationToken cancellation);

    Task<Answer<Written>> Cancel(Cancellation cancel, CancellationToken cancellation);

    /// <summary>Puts dead letters back into the queue.</summary>
    /// <returns>In the order of the ids.</returns>
    Task<IReadOnlyList<Answer<Written>>> Requeue(IReadOnlyList<string> taskIds, Origin origin, CancellationToken cancellation);

    Task<DeadLetterCount> CountDeadLetters(TaskFilter filter, CancellationToken cancellation);

    Task<Answer<Written>> DeleteDeadLetter(string taskId, CommitContext context, CancellationToken cancellation);

    /// <summary>Ends a slice of the leases that have expired by the store's clock, the earliest first.</summary>
    /// <returns>How many; 0: none has expired.</returns>
    Task<int> ExpireLeases(Origin origin, CancellationToken cancellation);

    /// <summary>Removes a slice of the completed and cancelled tasks that were kept for long enough.</summary>
    /// <returns>How many; 0: there are none.</returns>
    Task<int> PurgeEnded(CancellationToken cancellation);

    /// <summary>
    /// Pending tasks as they will be delivered within each priority, inflight ones by when their lease expires, ended ones latest first. With a
    /// filter a bounded number is looked at, so a page may be short, or empty, and have a next page.
    /// </summary>
    /// <param name="status">Null: each status after the other.</param>
    Task<Page<MeasurementTask>> List(MeasurementTaskStatus? status, TaskFilter filter, PageRequest page, CancellationToken cancellation);

    Task<QueueStats> Stats(CancellationToken cancellation);
}

/// <summary>A task to be stored.</summary>
/// <param name="IsTimeGiven">False: DBOS chose when it is due, so that time is no part of what the caller asked for.</param>
public readonly record struct Scheduling(MeasurementTask Task, bool IsTimeGiven, CommitContext Context);

/// <summary>What a taker asks for.</summary>
/// <param name="Due">Due at this instant, or now if that is earlier; null: now, by the store's clock.</param>
/// <param name="Lease">How long each is leased.</param>
/// <param name="ReportsEnds">The end of each delivery is reported to <see cref="TaskSignals"/> of this process.</param>
public sealed record TakeOrder(TaskFilter Filter, DateTimeOffset? Due, int Limit, TimeSpan Lease, bool ReportsEnds = false);

/// <param name="IsComplete">False: there may be more, as no more than <see cref="MostLookedAt"/> were looked at.</param>
public readonly record struct DeadLetterCount(long Count, bool IsComplete)
{
    /// <summary>With a filter each is looked at.</summary>
    public const int MostLookedAt = 50_000;
}

/// <param name="LeaseToken">Of the caller's delivery; <see cref="MeasurementTask.AnyLease"/>: whichever is current.</param>
public readonly record struct Acknowledgement(string TaskId, long LeaseToken, CommitContext Context);

/// <param name="LeaseToken">As in <see cref="Acknowledgement"/>.</param>
/// <param name="Delays">Until the task is due again, after its first failure, its second, and so on; the last one for all that follow.</param>
public sealed record NegativeAcknowledgement(
    string TaskId, long LeaseToken, IReadOnlyList<TimeSpan> Delays, string Reason, CommitContext Context)
{
    public NackKind Kind { get; init; }

    /// <summary>Null: no state is reported.</summary>
    public DeliveryReport? Report { get; init; }

    public Answer<Decision<MeasurementTask>> Decide(MeasurementTask task, DateTimeOffset now) =>
        task.NegativelyAcknowledge(LeaseToken, Delays, Reason, now, Kind);
}

/// <param name="Lease">From now.</param>
public sealed record LeaseExtension(string TaskId, long LeaseToken, TimeSpan Lease, CommitContext Context);

public sealed record Cancellation(string TaskId, string Reason, CommitContext Context);
