using Dbos.Application.Pipeline;
using Dbos.Domain.Tasks;

namespace Dbos.Application.Tasks;

/// <summary>Inflight tasks, each leased to the caller alone, oldest first.</summary>
public sealed record TakenTasks(IReadOnlyList<MeasurementTask> Tasks);

public interface ITaskRepository
{
    Task<MeasurementTask?> Find(string taskId, CancellationToken cancellation);

    Task<Saved<MeasurementTask>> Save(MeasurementTask task, UnitOfWork work, CancellationToken cancellation);

    /// <summary>
    /// Leases up to <paramref name="limit"/> tasks that are due, oldest first, each to this caller alone. Fewer
    /// come when fewer are due or their payloads fill a reply.
    /// </summary>
    /// <param name="due">Visible at this instant; null: now, by the store's clock.</param>
    Task<TakenTasks> Take(
        DateTimeOffset? due, int limit, TimeSpan visibilityTimeout, UnitOfWork work, CancellationToken cancellation);

    /// <summary>Inflight tasks whose lease has expired by the store's clock, oldest expiry first.</summary>
    Task<IReadOnlyList<MeasurementTask>> ExpiredLeases(int limit, CancellationToken cancellation);
}
