using System.IO.Hashing;
using System.Runtime.CompilerServices;
using System.Text;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Transfer;

/// <summary>
/// All that a store holds and cannot be made again from the rest, a slice at a time. What is kept of everything is
/// a hash of its name, as a scan may come upon a name twice.
/// </summary>
internal sealed class StoreContents(IStore store)
{
    /// <summary>Each may be as large as a result may be.</summary>
    private const int AtOnce = 50;

    private const int EventsOfASlice = 1_000;

    public async IAsyncEnumerable<ExportLine> Read([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var seen = new HashSet<UInt128>();
        string? cursor = null;
        do
        {
            var slice = await store.Names(Names.PrefixesOfRecordsAndMarks, cursor, cancellation);
            foreach (var some in slice.Names.Where(name => seen.Add(XxHash128.HashToUInt128(Encoding.UTF8.GetBytes(name.Name)))).Chunk(AtOnce))
            {
                var lines = await Task.WhenAll(some.Select(name => Names.IsMark(name.Name) ? ReadMark(name, cancellation) : ReadRecord(name, cancellation)));
                foreach (var line in lines.OfType<ExportLine>())
                {
                    yield return line;
                }
            }

            cursor = slice.Cursor;
        }
        while (cursor is not null);

        var counts = await Task.WhenAll(store.AllPartitions().Select(partition => store.Counts(partition, bucket: null, cancellation)));
        foreach (var counter in counts.SelectMany(some => some).GroupBy(count => count.Key, count => count.Value))
        {
            yield return new CounterLine(counter.Key, counter.Sum());
        }

        foreach (var log in Enum.GetValues<EventLogName>())
        {
            await foreach (var told in ReadEvents(log, cancellation))
            {
                yield return new EventLine(log, told);
            }
        }
    }

    private async Task<ExportLine?> ReadRecord(StoreKey name, CancellationToken cancellation)
    {
        if (await store.Find(name, cancellation) is not { } record)
        {
            return null;
        }

        // One that no list knows is the last of them.
        long? recency = RecordKinds.RecencyOf(name.Name, record) is { } entry
            ? await store.Score(new StoreKey(name.Partition, entry.Index), entry.Member, cancellation) ?? 0
            : null;
        return new RecordLine(
            name.Name,
            record.Version,
            record.Deliveries,
            record.LeasedUntil?.ToUnixTimeMilliseconds(),
            recency,
            record.Document,
            record.Payload.IsEmpty ? default(ReadOnlyMemory<byte>?) : record.Payload);
    }

    private async Task<ExportLine?> ReadMark(StoreKey name, CancellationToken cancellation) =>
        await store.FindMark(name, cancellation) is { } mark
            ? new MarkLine(mark.Name, mark.Value, (long)mark.Lifetime.TotalMilliseconds)
            : null;

    /// <summary>Of all partitions, newest first.</summary>
    private async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadEvents(
        EventLogName log, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var newest = new PriorityQueue<IAsyncEnumerator<ReadOnlyMemory<byte>>, string>(
            Comparer<string>.Create(static (left, right) => string.CompareOrdinal(right, left)));
        foreach (var partition in store.AllPartitions())
        {
            await Enqueue(ReadEvents(partition, log, cancellation).GetAsyncEnumerator(cancellation));
        }

        while (newest.TryDequeue(out var partition, out _))
        {
            yield return partition.Current;
            await Enqueue(partition);
        }

        async Task Enqueue(IAsyncEnumerator<ReadOnlyMemory<byte>> partition)
        {
            if (await partition.MoveNextAsync())
            {
                newest.Enqueue(partition, EventIds.Of(partition.Current.Span));
            }
            else
            {
                await partition.DisposeAsync();
            }
        }
    }

    private async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadEvents(
        int partition, EventLogName log, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var skip = 0;
        IReadOnlyList<ReadOnlyMemory<byte>> slice;
        do
        {
            slice = await store.NewestEvents(partition, log, skip, EventsOfASlice, cancellation);
            foreach (var told in slice)
            {
                yield return told;
            }

            skip += slice.Count;
        }
        while (slice.Count == EventsOfASlice);
    }
}
