using System.Diagnostics;
using System.Globalization;
using Dbos.Application.Paging;
using Dbos.Infrastructure.Store;
using StackExchange.Redis;
using static Dbos.Infrastructure.Redis.RedisAnswers;

namespace Dbos.Infrastructure.Redis;

/// <summary>The store port on Redis: commits and takes are one script each, reads are one command.</summary>
public sealed class RedisStore(RedisConnection connection, Replication replication, StoreSettings settings, RedisClock clock)
    : IStore
{
    /// <summary>A replica may lack what was acknowledged, so it is not asked, not even while there is no primary.</summary>
    private const CommandFlags Primary = CommandFlags.DemandMaster;

    private static readonly object[] RecordFields = ["version", "document", "payload", "deliveries", "leased_until"];

    private readonly RedisKeys keys = new(settings);
    private readonly KeyScan scan = new(connection);
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
        RecordOf((RedisValue[])(await Settled(record.Partition, "HMGET", [keys.Of(record), .. RecordFields], cancellation))!);

    public async Task<Mark?> FindMark(StoreKey mark, CancellationToken cancellation)
    {
        object[] key = [keys.Of(mark)];
        var answers = await Task.WhenAll(
            Settled(mark.Partition, "GET", key, cancellation), Settled(mark.Partition, "PTTL", key, cancellation));
        return (byte[]?)answers[0] is { } value
            ? new Mark(mark.Name, value, TimeSpan.FromMilliseconds(Math.Max(0, (long)answers[1])))
            : null;
    }

    public Task<IReadOnlyList<IndexEntry>> Lowest(
        StoreKey index, PageCursor? above, long upTo, int count, CancellationToken cancellation) =>
        Range(index, Order.Ascending, above?.Score ?? double.NegativeInfinity, upTo, above, count, cancellation);

    public Task<IReadOnlyList<IndexEntry>> Highest(
        StoreKey index, PageCursor? below, int count, CancellationToken cancellation) =>
        Range(index, Order.Descending, double.NegativeInfinity, below?.Score ?? double.PositiveInfinity, below, count, cancellation);

    public async Task<IReadOnlyList<IndexEntry>> ByMember(StoreKey index, string? after, int count, CancellationToken cancellation)
    {
        var members = await Ask(
            "ZRANGEBYLEX",
            index.Partition,
            static (redis, ask) => redis.SortedSetRangeByValueAsync(
                ask.key, min: ask.after ?? RedisValue.Null, exclude: Exclude.Start, take: ask.count, flags: Primary),
            (key: keys.Of(index), after, count),
            cancellation);
        return [.. members.Select(member => new IndexEntry(index.Partition, member!, 0))];
    }

    public async Task<IReadOnlyList<IndexEntry>> Due(StoreKey index, long upTo, int count, CancellationToken cancellation)
    {
        var due = (RedisValue[])(await Run(index.Partition, Script.Due, [keys.Of(index)], [upTo, count, Bands.Width], cancellation))!;
        return [.. due.Chunk(2).Select(entry => new IndexEntry(index.Partition, entry[0]!, (long)entry[1]))];
    }

    public async Task<long?> Score(StoreKey index, string member, CancellationToken cancellation) =>
        (long?)await Ask(
            "ZSCORE",
            index.Partition,
            static (redis, ask) => redis.SortedSetScoreAsync(ask.key, ask.member, Primary),
            (key: keys.Of(index), member),
            cancellation);

    public Task<long> CountEntries(StoreKey index, CancellationToken cancellation) =>
        Ask("ZCARD", index.Partition, static (redis, key) => redis.SortedSetLengthAsync(key, flags: Primary), keys.Of(index), cancellation);

    public async Task<IReadOnlyDictionary<string, long>> Counts(int partition, long? bucket, CancellationToken cancellation)
    {
        var counts = await Ask(
            "HGETALL",
            partition,
            static (redis, key) => redis.HashGetAllAsync(key, Primary),
            keys.Of(partition, Store.Names.Counts(bucket)),
            cancellation);
        return counts.ToDictionary(count => (string)count.Name!, count => (long)count.Value);
    }

    public Task Append(int partition, EventLogName log, ReadOnlyMemory<byte> told, CancellationToken cancellation)
    {
        var cap = log == EventLogName.History ? scripts.History : refusals;
        return Run(partition, Script.Append, [keys.Of(partition, Store.Names.Events(log))], [told, cap.Most, cap.TrimAt], cancellation);
    }

    public async Task<IReadOnlyList<ReadOnlyMemory<byte>>> NewestEvents(
        int partition, EventLogName log, int skip, int count, CancellationToken cancellation)
    {
        var events = await Ask(
            "LRANGE",
            partition,
            static (redis, ask) => redis.ListRangeAsync(ask.key, ask.skip, ask.skip + ask.count - 1, Primary),
            (key: keys.Of(partition, Store.Names.Events(log)), skip, count),
            cancellation);
        return [.. events.Select(told => (ReadOnlyMemory<byte>)told)];
    }

    public Task<long> CountEvents(int partition, EventLogName log, CancellationToken cancellation) => Ask(
        "LLEN", partition, static (redis, key) => redis.ListLengthAsync(key, Primary), keys.Of(partition, Store.Names.Events(log)), cancellation);

    /// <summary>The memory of all primaries, whoever else's data is in it.</summary>
    public async Task<long> Bytes(CancellationToken cancellation)
    {
        var infos = await connection.Ask(
            static (redis, _) => Task.WhenAll(
                from server in redis.Multiplexer.GetServers()
                where server is { IsConnected: true, IsReplica: false }
                select server.InfoAsync("memory")),
            true,
            cancellation);
        return infos.Sum(info => long.Parse(
            info.SelectMany(section => section).Single(entry => entry.Key == "used_memory").Value, CultureInfo.InvariantCulture));
    }

    public async Task<NameSlice> Names(IReadOnlyList<string> prefixes, string? cursor, CancellationToken cancellation)
    {
        var (found, next) = await scan.Next(keys.Pattern, cursor, cancellation);
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
    /// In every partition, as each may live on another node: one call where one server has them all. That the store is still
    /// laid out as configured is looked at too: it may have been moved while this DBOS could not be seen to serve it.
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
        connection.HearLayout(answers[0], asked);
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
            var entries = await Ask(
                order == Order.Ascending ? "ZRANGEBYSCORE" : "ZREVRANGEBYSCORE",
                index.Partition,
                static (redis, ask) => redis.SortedSetRangeByScoreWithScoresAsync(
                    ask.key, ask.from, ask.to, order: ask.order, skip: ask.skip, take: ask.count, flags: Primary),
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
        settings.Replicas == 0
            ? Run(partition, script, names, values, cancellation)
            : Proven(
                Script.Command,
                partition,
                static (server, ask) => ask.script.Run(server, ask.names, ask.values),
                (script, names, values),
                cancellation,
                script.Name);

    private Task<RedisResult> Settled(int partition, string command, object[] words, CancellationToken cancellation) =>
        settings.Replicas == 0
            ? Ask(command, partition, static (redis, ask) => redis.ExecuteAsync(ask.command, ask.words, Primary), (command, words), cancellation)
            : Proven(
                command,
                partition,
                static (server, ask) => server.ExecuteAsync(ask.command, ask.words, CommandFlags.NoRedirect),
                (command, words),
                cancellation);

    /// <summary>
    /// For what a caller is told of as done, or decides on, where replicas must have it too: of the partition's primary and no
    /// other server, so that it is clear whose replicas.
    /// </summary>
    private Task<RedisResult> Proven<TAsk>(
        string operation,
        int partition,
        Func<IServer, TAsk, Task<RedisResult>> command,
        TAsk ask,
        CancellationToken cancellation,
        string? script = null) =>
        Ask(
            operation,
            partition,
            static (redis, it) => it.replication.Proven(PrimaryOf(redis, it.mark), it.mark, it.ask, it.command),
            (replication, mark: keys.Of(partition, "replicated"), command, ask),
            cancellation,
            script);

    private static IServer PrimaryOf(IDatabase redis, RedisKey key)
    {
        try
        {
            return redis.Multiplexer.GetServer(key, flags: Primary);
        }
        catch (InvalidOperationException unknown)
        {
            throw new BriefOutageException("no primary is connected", unknown, mayBeDone: false);
        }
    }

    private Task<RedisResult> Run(
        int partition, Script script, RedisKey[] names, RedisValue[] values, CancellationToken cancellation) =>
        Ask(
            Script.Command,
            partition,
            static (redis, ask) => ask.script.Run(redis, ask.names, ask.values),
            (script, names, values),
            cancellation,
            script.Name);

    /// <param name="operation">The Redis command.</param>
    /// <param name="script">Its name, where it is one that the command runs.</param>
    private Task<TResult> Ask<TAsk, TResult>(
        string operation,
        int partition,
        Func<IDatabase, TAsk, Task<TResult>> command,
        TAsk ask,
        CancellationToken cancellation,
        string? script = null) => StoreSpans.AreWanted || StoreLatency.IsWanted
            ? Watched(operation, script, partition, command, ask, cancellation)
            : connection.Ask(command, ask, cancellation);

    private async Task<TResult> Watched<TAsk, TResult>(
        string operation,
        string? script,
        int partition,
        Func<IDatabase, TAsk, Task<TResult>> command,
        TAsk ask,
        CancellationToken cancellation)
    {
        const string System = "redis";
        var since = Stopwatch.GetTimestamp();
        Exception? failure = null;
        using var span = StoreSpans.Start(System, operation, partition, script);
        span?.TellServer(connection.ServerOf(keys.Of(partition, RedisKeys.Probe)));
        try
        {
            return await connection.Ask(command, ask, cancellation);
        }
        catch (Exception error)
        {
            failure = error;
            span?.Fail(error);
            throw;
        }
        finally
        {
            StoreLatency.Record(since, System, operation, script, failure);
        }
    }
}
