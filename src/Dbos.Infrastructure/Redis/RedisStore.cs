using System.Diagnostics;
using Dbos.Application.Paging;
using Dbos.Infrastructure.Store;
using StackExchange.Redis;
using static Dbos.Infrastructure.Redis.RedisAnswers;

namespace Dbos.Infrastructure.Redis;

/// <summary>The store port on Redis: commits and takes are one script each, reads are one command.</summary>
public sealed class RedisStore(RedisConnection connection, Replication replication, StoreSettings settings, RedisClock clock) : IStore
{
    private static readonly RedisValue[] RecordFields = ["version", "document", "payload", "deliveries", "leased_until"];

    private readonly RedisKeys keys = new(settings.KeyPrefix, settings.Partitions);
    private readonly ScriptWriter scripts = new(settings, clock);
    private readonly EventCap refusals = new(settings.RefusalRetention, settings.Partitions);

    public int Partitions => settings.Partitions;

    public async Task<IReadOnlyList<CommitOutcome>> Commit(IReadOnlyList<Commit> commits, CancellationToken cancellation)
    {
        var (names, values) = scripts.Commit(commits);
        var answers = (RedisResult[])(await Settled(commits[0].Partition, Script.Commit, names, values, cancellation))!;
        return [.. answers.Select(OutcomeOf)];
    }

    public async Task<IReadOnlyList<Delivery>> Take(Take take, CancellationToken cancellation)
    {
        var (names, values) = scripts.Take(take);
        return DeliveriesOf((RedisResult[])(await Settled(take.Partition, Script.Take, names, values, cancellation))!);
    }

    public async Task<StoredRecord?> Find(StoreKey record, CancellationToken cancellation) =>
        RecordOf(await Settled(
            record.Partition,
            static (redis, ask) => redis.HashGetAsync(ask.key, ask.fields),
            (key: keys.Of(record), fields: RecordFields),
            cancellation));

    public async Task<Mark?> FindMark(StoreKey mark, CancellationToken cancellation)
    {
        var found = await Settled(
            mark.Partition, static (redis, key) => redis.StringGetWithExpiryAsync(key), keys.Of(mark), cancellation);
        return found.Value.IsNull ? null : new Mark(mark.Name, found.Value, found.Expiry ?? TimeSpan.Zero);
    }

    public Task<IReadOnlyList<IndexEntry>> Lowest(
        StoreKey index, PageCursor? above, long upTo, int count, CancellationToken cancellation) =>
        Range(index, Order.Ascending, above?.Score ?? double.NegativeInfinity, upTo, above, count, cancellation);

    public Task<IReadOnlyList<IndexEntry>> Highest(
        StoreKey index, PageCursor? below, int count, CancellationToken cancellation) =>
        Range(index, Order.Descending, double.NegativeInfinity, below?.Score ?? double.PositiveInfinity, below, count, cancellation);

    public async Task<IReadOnlyList<IndexEntry>> ByMember(StoreKey index, string? after, int count, CancellationToken cancellation)
    {
        var members = await connection.Ask(
            static (redis, ask) => redis.SortedSetRangeByValueAsync(
                ask.key, min: ask.after ?? RedisValue.Null, exclude: Exclude.Start, take: ask.count),
            (key: keys.Of(index), after, count),
            cancellation);
        return [.. members.Select(member => new IndexEntry(index.Partition, member!, 0))];
    }

    public async Task<IReadOnlyList<IndexEntry>> Due(StoreKey index, long upTo, int count, CancellationToken cancellation)
    {
        var due = (RedisValue[])(await Run(Script.Due, [keys.Of(index)], [upTo, count, Bands.Width], cancellation))!;
        return [.. due.Chunk(2).Select(entry => new IndexEntry(index.Partition, entry[0]!, (long)entry[1]))];
    }

    public async Task<long?> Score(StoreKey index, string member, CancellationToken cancellation) =>
        (long?)await connection.Ask(
            static (redis, ask) => redis.SortedSetScoreAsync(ask.key, ask.member), (key: keys.Of(index), member), cancellation);

    public Task<long> CountEntries(StoreKey index, CancellationToken cancellation) =>
        connection.Ask(static (redis, key) => redis.SortedSetLengthAsync(key), keys.Of(index), cancellation);

    public async Task<IReadOnlyDictionary<string, long>> Counts(int partition, long? bucket, CancellationToken cancellation)
    {
        var counts = await connection.Ask(
            static (redis, key) => redis.HashGetAllAsync(key), keys.Of(partition, Store.Names.Counts(bucket)), cancellation);
        return counts.ToDictionary(count => (string)count.Name!, count => (long)count.Value);
    }

    public Task Append(int partition, EventLogName log, ReadOnlyMemory<byte> told, CancellationToken cancellation)
    {
        var cap = log == EventLogName.History ? scripts.History : refusals;
        return Run(Script.Append, [keys.Of(partition, Store.Names.Events(log))], [told, cap.Most, cap.TrimAt], cancellation);
    }

    public async Task<IReadOnlyList<ReadOnlyMemory<byte>>> NewestEvents(
        int partition, EventLogName log, int skip, int count, CancellationToken cancellation)
    {
        var events = await connection.Ask(
            static (redis, ask) => redis.ListRangeAsync(ask.key, ask.skip, ask.skip + ask.count - 1),
            (key: keys.Of(partition, Store.Names.Events(log)), skip, count),
            cancellation);
        return [.. events.Select(told => (ReadOnlyMemory<byte>)told)];
    }

    public async Task<NameSlice> Names(IReadOnlyList<string> prefixes, string? cursor, CancellationToken cancellation)
    {
        var (found, next) = await connection.Scan(keys.Pattern, cursor, cancellation);
        return new NameSlice(
            [
                .. from key in found
                   let name = keys.Read(key)
                   where name is not null && prefixes.Any(prefix => name.Value.Name.StartsWith(prefix, StringComparison.Ordinal))
                   select name.Value,
            ],
            next);
    }

    public Task Restore(Restoration restoration, CancellationToken cancellation)
    {
        var (names, values) = scripts.Restore(restoration);
        return Settled(restoration.Partition, Script.Restore, names, values, cancellation);
    }

    /// <summary>
    /// In every partition, as each may live on another node: one call where one server has them all. The first
    /// one's node tells the time.
    /// </summary>
    public async Task<Pulse> Probe(Watch watch, CancellationToken cancellation)
    {
        var asked = Stopwatch.GetTimestamp();
        var answers = await Task.WhenAll(Enumerable.Range(0, Partitions)
            .Chunk(connection.IsCluster ? 1 : Partitions)
            .Select(async partitions =>
            {
                var (names, values) = scripts.Probe(watch, partitions);
                return (RedisValue[])(await Settled(partitions[0], Script.Probe, names, values, cancellation))!;
            }));
        clock.Hear((long)answers[0][0], (long)answers[0][1], asked);
        return PulseOf(answers, watch.Deadlines.Count);
    }

    public void Tell(IStoreWatcher watcher)
    {
        connection.Hear(scripts.Channels.Turns, text => watcher.Due(TurnOf(text)));
        connection.Hear(scripts.Channels.Ends, text => watcher.Ended(keys.Read(text)!.Value.Name));
        connection.OnReconnect(watcher.Missed);
    }

    private async Task<IReadOnlyList<IndexEntry>> Range(
        StoreKey index, Order order, double from, double to, PageCursor? after, int count, CancellationToken cancellation)
    {
        var found = new List<IndexEntry>();
        long skip = 0;
        while (found.Count < count)
        {
            var entries = await connection.Ask(
                static (redis, ask) => redis.SortedSetRangeByScoreWithScoresAsync(
                    ask.key, ask.from, ask.to, order: ask.order, skip: ask.skip, take: ask.count),
                (key: keys.Of(index), from, to, order, skip, count),
                cancellation);

            // Redis takes no member as a bound beside a score: those of the cursor's own score that
            // belong to pages before are passed over here.
            found.AddRange(entries.Select(entry => EntryOf(index, entry)).Where(entry =>
                after is null || entry.Score != after.Score || IsBehind(Utf8Order.Compare(entry.Member, after.Member), order)));
            if (entries.Length < count)
            {
                break;
            }

            skip += entries.Length;
        }

        return found.Count <= count ? found : found[..count];
    }

    private static bool IsBehind(int compared, Order order) => order == Order.Ascending ? compared > 0 : compared < 0;

    private Task<RedisResult> Settled(
        int partition, Script script, RedisKey[] names, RedisValue[] values, CancellationToken cancellation) =>
        Settled(
            partition,
            static (redis, ask) => ask.script.Run(redis, ask.names, ask.values),
            (script, names, values),
            cancellation);

    /// <summary>
    /// For what a caller is told of as done, or decides on: where replicas must have it, it is asked of the primary and then proved.
    /// </summary>
    private Task<TResult> Settled<TAsk, TResult>(
        int partition, Func<IDatabase, TAsk, Task<TResult>> command, TAsk ask, CancellationToken cancellation) =>
        settings.Replicas == 0
            ? connection.Ask(command, ask, cancellation)
            : replication.Proven(keys.Of(partition, "replicated"), (connection, command, ask, cancellation), static it =>
                it.connection.Ask(it.command, it.ask, it.cancellation));

    private Task<RedisResult> Run(Script script, RedisKey[] names, RedisValue[] values, CancellationToken cancellation) =>
        connection.Ask(
            static (redis, ask) => ask.script.Run(redis, ask.names, ask.values),
            (script, names, values),
            cancellation);
}
