using System.Runtime.CompilerServices;
using Dbos.Infrastructure.Transfer;

namespace Dbos.Infrastructure.Events;

/// <summary>
/// Exports and imports the event log. Of each log the events come oldest first, and have to be imported in that order; each is put
/// where its request's, task's or agent's events lie.
/// </summary>
public sealed class EventTransfer(IEventStreams streams) : ISubjectTransfer<ExportedEvent>
{
    private const int AtOnce = 500;

    public async IAsyncEnumerable<ExportedEvent> Export([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        foreach (var log in Enum.GetValues<EventLogName>())
        {
            var oldest = new PriorityQueue<IAsyncEnumerator<StoredEvent>, (long, long)>();
            for (var partition = 0; partition < streams.Partitions; partition++)
            {
                await Enqueue(oldest, All(new EventStreamKey(partition, log), cancellation).GetAsyncEnumerator(cancellation));
            }

            while (oldest.TryDequeue(out var stream, out _))
            {
                yield return new ExportedEvent(log, stream.Current.Json);
                await Enqueue(oldest, stream);
            }
        }
    }

    public async Task Import(IReadOnlyList<ExportedEvent> records, CancellationToken cancellation)
    {
        var byStream = records.GroupBy(
            record => new EventStreamKey(streams.PartitionOf(EventJson.SubjectOf(record.Json)), record.Log),
            record => EventJson.WithoutId(record.Json));
        await Task.WhenAll(byStream.Select(stream => streams.Import(stream.Key, [.. stream], cancellation)));
    }

    private static async Task Enqueue(PriorityQueue<IAsyncEnumerator<StoredEvent>, (long, long)> oldest, IAsyncEnumerator<StoredEvent> stream)
    {
        if (await stream.MoveNextAsync())
        {
            oldest.Enqueue(stream, (stream.Current.Position.Milliseconds, stream.Current.Position.Sequence));
        }
        else
        {
            await stream.DisposeAsync();
        }
    }

    private async IAsyncEnumerable<StoredEvent> All(EventStreamKey stream, [EnumeratorCancellation] CancellationToken cancellation)
    {
        IReadOnlyList<StoredEvent> some = [];
        do
        {
            var last = some.Count > 0 ? some[^1].Position : default(Application.Events.StreamPosition?);
            some = await streams.Forward(stream, last, AtOnce, cancellation);
            foreach (var entry in some.Where(entry => entry.Position != last))
            {
                yield return entry;
            }
        }
        while (some.Count == AtOnce);
    }
}

/// <param name="Json">The event with its own time and without an id, as ids are of one store alone.</param>
public readonly record struct ExportedEvent(EventLogName Log, ReadOnlyMemory<byte> Json);
