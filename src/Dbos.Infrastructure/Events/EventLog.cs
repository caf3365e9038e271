using Dbos.Application.Events;
using Dbos.Application.Pipeline;
using Dbos.Domain.Audit;

namespace Dbos.Infrastructure.Events;

/// <summary>The event log over the streams of either engine.</summary>
public sealed class EventLog(IEventStreams streams, EventHeads heads, TimeProvider clock) : IEventLog
{
    public Task LogRefusal(AuditEvent refused, Origin origin, string id, CancellationToken cancellation) =>
        streams.LogRefusal(streams.PartitionOf(id), EventWriter.Body(refused, origin), cancellation);

    public async Task<EventList?> Search(EventFilter filter, int limit, EventPlace? from, CancellationToken cancellation)
    {
        var all = EventStreamKey.All(streams.Partitions);
        var generation = await streams.Generation(cancellation);
        if (from is not null && !from.IsIn(generation, all.Count))
        {
            return null;
        }

        var (list, next) = await new EventSearch(streams, all, filter, limit).Run(from?.Positions, cancellation);
        return list is null || next is null ? list : list with { Next = new EventPlace(generation, next) };
    }

    public async Task<EventList> SearchPartitionOf(string id, EventFilter filter, int limit, CancellationToken cancellation) =>
        (await new EventSearch(streams, EventStreamKey.Of(streams.PartitionOf(id)), filter, limit).Run(from: null, cancellation)).List!;

    public IAsyncEnumerable<EventBatch> Watch(EventFilter filter, string after, CancellationToken cancellation) =>
        new EventWatch(streams, heads, filter, clock).Run(after, cancellation);
}
