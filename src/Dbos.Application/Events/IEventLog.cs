using Dbos.Application.Pipeline;
using Dbos.Domain.Audit;

namespace Dbos.Application.Events;

/// <summary>The event log. Accepted changes log their events in their own commit; this is the rest of it.</summary>
public interface IEventLog
{
    /// <summary>Logs a write that was refused, apart from the history and under a cap of its own.</summary>
    /// <param name="id">The id of the record that was to be written.</param>
    Task LogRefusal(AuditEvent refused, Origin origin, string id, CancellationToken cancellation);

    /// <summary>
    /// The newest events of history and refusals that pass the filter, newest first, each as UTF-8 JSON. The search stops after
    /// 50,000 events that it looked at.
    /// </summary>
    /// <param name="from">Where the page before ended; null: at the newest.</param>
    /// <returns>Null: the place has left the log.</returns>
    Task<EventList?> Search(EventFilter filter, int limit, EventPlace? from, CancellationToken cancellation);

    /// <summary>The same, among the events that lie where an id's record lies.</summary>
    Task<EventList> SearchPartitionOf(string id, EventFilter filter, int limit, CancellationToken cancellation);

    /// <summary>The events after a place that pass the filter: first those that are kept, then each as it is committed.</summary>
    /// <param name="after">A place, an event's id, or empty: now.</param>
    IAsyncEnumerable<EventBatch> Watch(EventFilter filter, string after, CancellationToken cancellation = default);
}

/// <param name="Cut">The bytes of one reply were full before the limit.</param>
public sealed record EventList(IReadOnlyList<ReadOnlyMemory<byte>> Events, bool Cut)
{
    /// <summary>Where the next page begins; null: nothing older is kept that passes the filter.</summary>
    public EventPlace? Next { get; init; }

    /// <summary>The search stopped: what is older was not looked at. Null: it did not stop.</summary>
    public DateTimeOffset? SearchedBackTo { get; init; }
}
