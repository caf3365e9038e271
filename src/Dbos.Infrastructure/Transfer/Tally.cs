using System.Globalization;
using System.IO.Hashing;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Transfer;

/// <summary>
/// How many there are of each kind, and a digest of all of them that depends neither on their order nor on what
/// is left of a mark's lifetime. Two stores or files of one tally hold the same.
/// </summary>
internal sealed class Tally
{
    private readonly SortedDictionary<string, long> counts = new(StringComparer.Ordinal);
    private ulong sum;

    public IReadOnlyDictionary<string, long> Counts => counts;

    public string Digest => sum.ToString("x16", CultureInfo.InvariantCulture);

    public bool IsEmpty => counts.Count == 0;

    public void Add(ExportLine line)
    {
        var kind = line switch
        {
            AgentLine => "agent",
            StateLine => "module_state",
            ResultLine => "result",
            TaskLine task => $"task {task.Task.Status.Word()}",
            RecordLine => "record",
            MarkLine => "mark",
            EventLine told => told.Log == EventLogName.History ? "event" : "refusal",
            CounterLine => "counter",
            _ => null,
        };
        if (kind is null)
        {
            return;
        }

        counts[kind] = counts.GetValueOrDefault(kind) + 1;
        var lasting = line switch
        {
            MarkLine mark => mark with { Lifetime = 0 },
            ResultLine result => new ResultLine(result.Stored with { StoredAt = 0 }),
            _ => line,
        };
        unchecked
        {
            sum += XxHash64.HashToUInt64(lasting.ToUtf8());
        }
    }
}
