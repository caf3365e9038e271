using System.Runtime.CompilerServices;
using Dbos.Application;
using Dbos.Application.Pipeline;
using Dbos.Application.Tasks;
using Dbos.Domain.Audit;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Store;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis.Tasks;

/// <summary>
/// Compares what is stored of tasks with itself: every record must be where its status says, every entry must be one that its record says, and
/// every queue must have its turns. Each slice is one script, which also puts right what it finds: nobody writes between.
/// </summary>
public sealed class RedisTaskAudit(RedisPartitions partitions, RedisConnection connection, TaskChannels channels, DbosPolicy policy)
    : ITaskAudit
{
    private static readonly Script CheckRecords = new("check_records");
    private static readonly Script CheckEntries = new("check_entries");
    private static readonly Script CheckReady = new("check_ready");

    /// <summary>Each is looked at in every band.</summary>
    private const int MostQueues = 10;

    private readonly KeyScan scan = new(connection);

    public async IAsyncEnumerable<ConsistencySlice> Run(
        bool repair, Origin origin, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var repaired = EventWriter.Parts(new AuditEvent(EventTypes.TaskRepaired, "repaired"), origin);
        foreach (var partition in partitions.All)
        {
            foreach (var status in Enum.GetValues<MeasurementTaskStatus>())
            {
                await foreach (var slice in Entries(partition, $"tasks:{status.Word()}", repair, repaired, cancellation))
                {
                    yield return slice;
                }
            }
        }

        string? cursor = null;
        do
        {
            (var found, cursor) = await scan.Next(connection.Keys.Pattern, cursor, cancellation);
            foreach (var names in found.Select(connection.Keys.Read).OfType<StoreKey>().GroupBy(name => name.Partition, name => name.Name))
            {
                foreach (var ids in Of(names, "task:").Chunk(TaskScripts.MostInOneScript))
                {
                    yield return await Check(CheckRecords, names.Key, ids, repair, [channels.Due, (long)policy.CompletedTaskRetention.TotalMilliseconds, repaired.Tail], cancellation);
                }

                foreach (var queue in Of(names, "queue:"))
                {
                    await foreach (var slice in Entries(names.Key, $"queue:{queue}", repair, repaired, cancellation))
                    {
                        yield return slice;
                    }
                }

                foreach (var queues in Of(names, "queue:").Chunk(MostQueues))
                {
                    yield return await Check(CheckReady, names.Key, queues, repair, [repaired.Head, repaired.Tail], cancellation);
                }

                foreach (var ready in names.Where(name => name.StartsWith("ready:agent:", StringComparison.Ordinal)))
                {
                    foreach (var queues in (await QueuesOf(names.Key, ready, cancellation)).Chunk(MostQueues))
                    {
                        yield return await Check(CheckReady, names.Key, queues, repair, [repaired.Head, repaired.Tail], cancellation);
                    }
                }
            }
        }
        while (cursor is not null);
    }

    private static IEnumerable<string> Of(IEnumerable<string> names, string prefix) =>
        names.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).Select(name => name[prefix.Length..]);

    private async IAsyncEnumerable<ConsistencySlice> Entries(
        int partition, string name, bool repair, EventParts repaired, [EnumeratorCancellation] CancellationToken cancellation)
    {
        RedisValue score = RedisValue.EmptyString, member = RedisValue.EmptyString;
        do
        {
            var values = partitions.NewWrite(7);
            values.AddRange([repair, repaired.Head, repaired.Tail, name, score, member, TaskScripts.MostInOneScript]);
            var items = (await partitions.Write(
                CheckEntries, partition, values, cancellation, StoreWork.Read, TaskScripts.MostInOneScript)).Items;
            yield return SliceOf(items[..^3], (int)items.Span[^3], repair);
            (score, member) = ((RedisValue)items.Span[^2], (RedisValue)items.Span[^1]);
        }
        while (!member.IsNullOrEmpty);
    }

    private async Task<ConsistencySlice> Check(
        Script script, int partition, string[] names, bool repair, RedisValue[] head, CancellationToken cancellation)
    {
        var values = partitions.NewWrite(4 + names.Length);
        values.AddRange([repair, .. head, names.Length, .. names.Select(name => (RedisValue)name)]);
        var items = (await partitions.Write(
            script, partition, values, cancellation, StoreWork.Read, TaskScripts.MostInOneScript)).Items;
        return SliceOf(items[..^1], (int)items.Span[^1], repair);
    }

    /// <summary>The queues that have a turn among an agent's.</summary>
    private async Task<string[]> QueuesOf(int partition, string ready, CancellationToken cancellation)
    {
        var members = (string[])(await partitions.Read(partition, "ZRANGE", [partitions.Key(partition, ready), 0, -1], cancellation))!;
        var agent = ready["ready:agent:".Length..];
        return [.. members.Select(member => $"{agent}:{member[2..]}").Distinct()];
    }

    private static ConsistencySlice SliceOf(ReadOnlyMemory<RedisResult> items, int looked, bool repaired)
    {
        var found = new List<Inconsistency>();
        for (var i = 0; i < items.Length; i += 2)
        {
            var (id, wrong) = ((string)items.Span[i]!, (string)items.Span[i + 1]!);
            found.Add(new Inconsistency(id, id.Length > 0 ? $"task {id}: {wrong}" : wrong, repaired));
        }

        return new ConsistencySlice(looked, found);
    }
}
