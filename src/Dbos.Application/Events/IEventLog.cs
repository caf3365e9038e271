using Dbos.Application.Pipeline;
using Dbos.Domain.Audit;

namespace Dbos.Application.Events;

/// <summary>
/// The event log of all partitions. Accepted changes tell their events in their own commit; this is the
/// rest of it.
/// </summary>
public interface IEventLog
{
    /// <summary>Tells, apart from the history and under a cap of its own, of something that was not done.</summary>
    Task TellRefusal(AuditEvent refused, Origin origin, string id, CancellationToken cancellation);

    /// <summary>It is a place in these logs, and not in others.</summary>
    bool Has(EventPlace place);

    /// <summary>
    /// The newest events of history and refusals that the filter lets through, newest first, each as UTF-8 JSON. Gives up
    /// after so many that it does not.
    /// </summary>
    /// <param name="from">Where the page before ended; null: at the newest.</param>
    Task<EventList> Search(EventFilter filter, int limit, EventPlace? from, CancellationToken cancellation);

    /// <summary>Of the events alone that lie where an id's records lie.</summary>
    Task<EventList> SearchPartitionOf(string id, EventFilter filter, int limit, CancellationToken cancellation);

    /// <summary>What the filter lets through of what is told after a place, first what is kept, then as it happens.</summary>
    /// <param name="after">A place, an event's id, or empty: now.</param>
    IAsyncEnumerable<EventBatch> Watch(EventFilter filter, string after, CancellationToken cancellation = default);
}

/// <param name="Cut">The bytes of one reply were full before the limit.</param>
public sealed record EventList(IReadOnlyList<ReadOnlyMemory<byte>> Events, bool Cut)
{
    /// <summary>Where the next page begins; null: nothing older is kept that fits.</summary>
    public EventPlace? Next { get; init; }

    /// <summary>The search gave up: what is older was not looked at; null: it did not.</summary>
    public DateTimeOffset? SearchedBackTo { get; init; }
}
