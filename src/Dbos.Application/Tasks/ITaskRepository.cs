using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Domain.Tasks;

namespace Dbos.Application.Tasks;

/// <summary>Inflight tasks, each leased to the caller alone; higher priority first, then oldest first.</summary>
public sealed record TakenTasks(IReadOnlyList<MeasurementTask> Tasks);

public interface ITaskRepository
{
    Task<MeasurementTask?> Find(string taskId, CancellationToken cancellation);

    /// <summary>Likewise, without its payload, which nothing is decided on.</summary>
    Task<MeasurementTask?> FindBare(string taskId, CancellationToken cancellation);

    /// <summary>
    /// The task, without its payload, as this process took or changed it last; null: not lately. Another may have changed it
    /// since, which a commit finds out.
    /// </summary>
    MeasurementTask? Recall(string taskId);

    /// <summary>One commit for each partition; the answers are in the order of the drafts.</summary>
    Task<IReadOnlyList<Saved<MeasurementTask>>> Save(IReadOnlyList<Draft<MeasurementTask>> drafts, CancellationToken cancellation);

    /// <summary>Leases tasks that are due to this caller alone. Fewer come when fewer are due or their payloads fill a reply.</summary>
    Task<TakenTasks> Take(TakeOrder order, CommitContext work, CancellationToken cancellation);

    /// <param name="status">Null: of each status, one after the other.</param>
    Task<Page<MeasurementTask>> List(
        MeasurementTaskStatus? status, TaskFilter filter, PageRequest page, CancellationToken cancellation);

    /// <summary>Inflight tasks, without payloads, whose lease has expired by the store's clock, oldest expiry first.</summary>
    Task<IReadOnlyList<MeasurementTask>> ExpiredLeases(int limit, CancellationToken cancellation);

    /// <summary>Completed and cancelled tasks, without payloads, that ended by that instant, the earliest first.</summary>
    Task<IReadOnlyList<MeasurementTask>> EndedBy(DateTimeOffset instant, int limit, CancellationToken cancellation);

    Task<QueueStats> Stats(CancellationToken cancellation);
}

/// <summary>What a taker asks for.</summary>
/// <param name="Due">Visible at this instant; null: now, by the store's clock.</param>
/// <param name="Lease">How long each is leased.</param>
/// <param name="TellsEnd">The end of each delivery is told to <see cref="TaskSignals"/>.</param>
public sealed record TakeOrder(TaskFilter Filter, DateTimeOffset? Due, int Limit, TimeSpan Lease, bool TellsEnd = false);
