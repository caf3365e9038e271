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
/// <param name="isServed">Records may come and go meanwhile.</param>
internal sealed class StoreContents(IStore store, ISubjectTransfer<ExportedEvent> events, bool isServed)
{
    /// <summary>Each may be as large as a result may be.</summary>
    private const int AtOnce = 50;

    /// <exception cref="TransferRefusedException">Something lies where no DBOS would find it: it would be lost.</exception>
    public async IAsyncEnumerable<ExportLine> Read([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var seen = new HashSet<UInt128>();
        string? cursor = null;
        do
        {
            var slice = await store.Names(Names.PrefixesOfRecordsAndMarks, cursor, cancellation);
            foreach (var some in slice.Names.Where(name => seen.Add(XxHash128.HashToUInt128(Encoding.UTF8.GetBytes(name.Name)))).Chunk(AtOnce))
            {
                var lines = await Task.WhenAll(some.Select(name => Read(name, cancellation)));
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

        await foreach (var (log, json) in events.Export(cancellation))
        {
            yield return new EventLine(log, json);
        }
    }

    private Task<ExportLine?> Read(StoreKey name, CancellationToken cancellation) =>
        store.PartitionOf(Names.PartitionIdOf(name.Name)) != name.Partition ? throw Astray(name)
        : Names.IsMark(name.Name) ? ReadMark(name, cancellation)
        : ReadRecord(name, cancellation);

    private async Task<ExportLine?> ReadRecord(StoreKey name, CancellationToken cancellation)
    {
        if (await store.Find(name, cancellation) is not { } record)
        {
            return isServed ? null : throw Astray(name);
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

    private static TransferRefusedException Astray(StoreKey name) =>
        new($"{name.Name} lies in partition {name.Partition} under a key where no DBOS of these settings finds it: it would be lost");
}
