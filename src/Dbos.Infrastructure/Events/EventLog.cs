using Dbos.Application.Events;
using Dbos.Application.Pipeline;
using Dbos.Domain.Audit;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Events;

public sealed class EventLog(IStore store, EventLogs logs, EventHeads heads, EventWriter events, TimeProvider clock) : IEventLog
{
    public Task TellRefusal(AuditEvent refused, Origin origin, string id, CancellationToken cancellation) =>
        store.Append(store.PartitionOf(id), EventLogName.Refusals, events.Write(refused, origin), cancellation);

    public bool Has(EventPlace place) => place.Ids.Count == logs.Count;

    public Task<EventList> Search(EventFilter filter, int limit, EventPlace? from, CancellationToken cancellation) =>
        new EventSearch(logs, Enumerable.Range(0, logs.Count), filter, limit).Run(from, cancellation);

    public Task<EventList> SearchPartitionOf(string id, EventFilter filter, int limit, CancellationToken cancellation) =>
        new EventSearch(logs, logs.Of(store.PartitionOf(id)), filter, limit).Run(from: null, cancellation);

    public IAsyncEnumerable<EventBatch> Watch(EventFilter filter, string after, CancellationToken cancellation) =>
        new EventWatch(logs, heads, filter, clock).Run(after, cancellation);
}
