using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Transfer;

/// <summary>Puts lines of an export into a store: each where its number of partitions says, in as many indexes and lanes as it belongs to.</summary>
internal sealed class Restorer(IStore store, ISubjectTransfer<ExportedEvent> events)
{
    private const int MostLinesAtOnce = 2_000;
    private const int MostBytesAtOnce = 4 << 20;

    /// <summary>
    /// What was about to end lives on for a while, so that what was imported can be compared with what was exported. To
    /// remember a command for longer than promised does no harm.
    /// </summary>
    private static readonly TimeSpan ShortestLifetime = TimeSpan.FromHours(1);

    private readonly List<(int Partition, ExportLine Line)> gathered = [];
    private int bytes;

    public async Task Put(IAsyncEnumerable<ExportLine> lines)
    {
        await foreach (var line in lines)
        {
            gathered.Add((PartitionOf(line), line));
            bytes += line is RecordLine record ? record.Document.Length + (record.Payload?.Length ?? 0) : 0;
            if (gathered.Count >= MostLinesAtOnce || bytes >= MostBytesAtOnce)
            {
                await Flush();
            }
        }

        await Flush();
    }

    private int PartitionOf(ExportLine line) => line switch
    {
        RecordLine record => store.PartitionOf(Names.PartitionIdOf(record.Name)),
        MarkLine mark => store.PartitionOf(Names.PartitionIdOf(mark.Name)),
        _ => 0,
    };

    private async Task Flush()
    {
        await events.Import(
            [.. gathered.Select(one => one.Line).OfType<EventLine>().Select(line => new ExportedEvent(line.Log, line.Told))], CancellationToken.None);
        await Task.WhenAll(gathered
            .Where(one => one.Line is not EventLine)
            .GroupBy(one => one.Partition, one => one.Line)
            .Select(partition => store.Restore(RestorationOf(partition.Key, [.. partition]), CancellationToken.None)));
        gathered.Clear();
        bytes = 0;
    }

    private Restoration RestorationOf(int partition, IReadOnlyList<ExportLine> lines) => new(partition)
    {
        Records = [.. lines.OfType<RecordLine>().Select(RestoredRecordOf)],
        Marks = [.. lines.OfType<MarkLine>().Select(MarkOf)],
        Counts = [.. lines.OfType<CounterLine>().Select(counter => (counter.Name, counter.Amount))],
    };

    private RestoredRecord RestoredRecordOf(RecordLine line)
    {
        var record = line.ToRecord();
        var (indexes, lanes) = RecordKinds.Place(line.Name, record, line.Recency ?? 0);
        return new RestoredRecord(line.Name, record, indexes, lanes);
    }

    private static Mark MarkOf(MarkLine line)
    {
        var lifetime = TimeSpan.FromMilliseconds(line.Lifetime);
        return new Mark(line.Name, line.Value, lifetime > ShortestLifetime ? lifetime : ShortestLifetime);
    }
}
