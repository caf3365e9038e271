using System.Runtime.CompilerServices;
using Dbos.Application.Pipeline;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Transfer;

namespace Dbos.Infrastructure.Redis.Layout;

/// <summary>The marks of idempotency keys, which commits set (idempotency_mark.lua), and the counters, which they raise (event_log.lua).</summary>
internal sealed class RedisMarks(RedisPartitions partitions, RedisConnection connection)
    : IIdempotencyMarks, ISubjectTransfer<StoredMark>, ISubjectTransfer<StoredCounter>
{
    private const string Counts = "counts";

    private readonly KeyScan scan = new(connection);

    public async Task<FirstAnswer?> Find(IdempotencyMark mark, string recordId, CancellationToken cancellation)
    {
        var partition = partitions.Of(recordId);
        var value = (byte[]?)await partitions.Read(partition, "GET", [connection.Keys.Of(partition, Names.Mark(mark.Name))], cancellation);
        return value is null ? null : MarkValue.Read(value, mark.Content);
    }

    async IAsyncEnumerable<StoredMark> ISubjectTransfer<StoredMark>.Export([EnumeratorCancellation] CancellationToken cancellation)
    {
        // A scan may find a key twice.
        var seen = new HashSet<string>();
        string? cursor = null;
        do
        {
            (var found, cursor) = await scan.Next(connection.Keys.Pattern, cursor, cancellation);
            foreach (var key in found.Where(key => connection.Keys.Read(key) is { } name && Names.IsMark(name.Name) && seen.Add(key)))
            {
                var name = connection.Keys.Read(key)!.Value;
                var value = partitions.Read(name.Partition, "GET", [key], cancellation);
                var lifetime = partitions.Read(name.Partition, "PTTL", [key], cancellation);
                if ((byte[]?)await value is { } known)
                {
                    yield return new StoredMark(name.Name, known, TimeSpan.FromMilliseconds(Math.Max(0, (long)await lifetime)));
                }
            }
        }
        while (cursor is not null);
    }

    Task ISubjectTransfer<StoredMark>.Import(IReadOnlyList<StoredMark> records, CancellationToken cancellation) =>
        Task.WhenAll(records.Select(mark => connection.Ask(
            static (redis, ask) => redis.StringSetAsync(ask.key, ask.mark.Value, ask.mark.Lifetime),
            (key: connection.Keys.Of(partitions.Of(Names.RecordIdOfMark(mark.Name)), mark.Name), mark),
            cancellation)));

    async IAsyncEnumerable<StoredCounter> ISubjectTransfer<StoredCounter>.Export([EnumeratorCancellation] CancellationToken cancellation)
    {
        var all = await Task.WhenAll(partitions.All.Select(
            partition => partitions.Read(partition, "HGETALL", [connection.Keys.Of(partition, Counts)], cancellation)));
        var counts = all.SelectMany(one => ((string[])one!).Chunk(2)).GroupBy(pair => pair[0], pair => long.Parse(pair[1], System.Globalization.CultureInfo.InvariantCulture));
        foreach (var count in counts)
        {
            yield return new StoredCounter(count.Key, count.Sum());
        }
    }

    Task ISubjectTransfer<StoredCounter>.Import(IReadOnlyList<StoredCounter> records, CancellationToken cancellation) =>
        Task.WhenAll(records.Select(counter => connection.Ask(
            static (redis, ask) => redis.HashIncrementAsync(ask.key, ask.counter.Name, ask.counter.Amount),
            (key: connection.Keys.Of(0, Counts), counter),
            cancellation)));
}
