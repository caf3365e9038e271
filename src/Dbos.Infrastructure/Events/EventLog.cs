using Dbos.Application.Events;
using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Domain.Audit;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Events;

public sealed class EventLog(IStore store, EventWriter events) : IEventLog
{
    public Task TellRefusal(AuditEvent refused, Origin origin, string id, CancellationToken cancellation) =>
        store.Append(store.PartitionOf(id), EventLogName.Refusals, events.Write(refused, origin), cancellation);

    public async Task<EventList> Newest(int limit, CancellationToken cancellation)
    {
        // Both logs of every partition, as if each were a partition of its own.
        int[] logs = [.. Enumerable.Range(0, 2 * store.Partitions)];
        var newest = await PartitionMerge.First(
            logs, limit, static (left, right) => string.CompareOrdinal(right.Id, left.Id), (log, count) => Read(log, count, cancellation));
        long bytes = 0;
        var fits = newest.Items.TakeWhile(told => (bytes += told.Json.Length) <= PageRequest.MostBytes).Select(told => told.Json).ToArray();
        return new EventList(fits, Cut: fits.Length < newest.Items.Count);
    }

    private async Task<IReadOnlyList<Told>> Read(int log, int count, CancellationToken cancellation)
    {
        var name = log < store.Partitions ? EventLogName.History : EventLogName.Refusals;
        var newest = await store.NewestEvents(log % store.Partitions, name, skip: 0, count, cancellation);
        return [.. newest.Select(json => new Told(EventIds.Of(json.Span), json))];
    }

    private readonly record struct Told(string Id, ReadOnlyMemory<byte> Json);
}
