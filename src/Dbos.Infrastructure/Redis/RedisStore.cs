using System.Globalization;
using System.Net;
using Dbos.Application.Paging;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Redis.Tasks;
using Dbos.Infrastructure.Store;
using StackExchange.Redis;
using static Dbos.Infrastructure.Redis.RedisAnswers;

namespace Dbos.Infrastructure.Redis;

/// <summary>The store port on Redis: commits and takes are one script each, reads are one command.</summary>
public sealed partial class RedisStore(RedisConnection connection, Replication replication, StoreSettings settings, RedisClock clock, TaskChannels channels)
    : IStore
{
    /// <summary>A replica may lack what was acknowledged, so it is not asked, not even while there is no primary.</summary>
    private const CommandFlags Primary = CommandFlags.DemandMaster;

    private static readonly object[] WholeRecord = ["version", "document", "payload", "deliveries", "leased_until"];

    /// <summary>In the payload's place is a field that no record has.</summary>
    private static readonly object[] BareRecord = ["version", "document", "-", "deliveries", "leased_until"];

    private readonly RedisKeys keys = new(settings);
    private readonly KeyScan scan = new(connection);
    private readonly ScriptWriter scripts = new(settings, clock, channels);

    public int Partitions => settings.Partitions;

    public EndPoint? ServerOf(int partition) => connection.ServerOf(keys.Of(partition, RedisKeys.Probe));

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

    public Task<StoredRecord?> Find(StoreKey record, CancellationToken cancellation) => Find(record, WholeRecord, cancellation);

    public Task<StoredRecord?> FindBare(StoreKey record, CancellationToken cancellation) => Find(record, BareRecord, cancellation);

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
        above is { Member.Length: > 0 }
            ? Page(index, Order.Ascending, above, upTo, count, cancellation)
            : Range(index, Order.Ascending, above?.Score ?? double.NegativeInfinity, upTo, count, cancellation);

    public Task<IReadOnlyList<IndexEntry>> Highest(
        StoreKey index, PageCursor? below, int count, CancellationToken cancellation) =>
        below is not null
            ? Page(index, Order.Descending, below, RedisValue.Null, count, cancellation)
            : Range(index, Order.Descending, double.NegativeInfinity, double.PositiveInfinity, count, cancellation);

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
        return EntriesOf(index.Partition, due);
    }

    public async Task<IReadOnlyList<IReadOnlyList<IndexEntry>>> Heads(
        int partition, IReadOnlyList<IndexBand> bands, long upTo, int count, CancellationToken cancellation)
    {
        RedisKey[] names = [.. bands.Select(band => keys.Of(partition, band.Index))];
        RedisValue[] values = [count, .. bands.SelectMany(band => new RedisValue[] { Bands.Score(band.Band, 0), Bands.Score(band.Band, Math.Min(upTo, Bands.Width - 1)) })];
        var heads = (RedisResult[])(await Run(partition, Script.Heads, names, values, cancellation))!;
        return [.. heads.Select(head => EntriesOf(partition, (RedisValue[])head!))];
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

    private async Task<StoredRecord?> Find(StoreKey record, object[] fields, CancellationToken cancellation) =>
        RecordOf((RedisValue[])(await Settled(record.Partition, "HMGET", [keys.Of(record), .. fields], cancellation))!);

    private async Task<IReadOnlyList<IndexEntry>> Range(
        StoreKey index, Order order, double from, double to, int count, CancellationToken cancellation)
    {
        var entries = await Ask(
            order == Order.Ascending ? "ZRANGEBYSCORE" : "ZREVRANGEBYSCORE",
            index.Partition,
            static (redis, ask) => redis.SortedSetRangeByScoreWithScoresAsync(
                ask.key, ask.from, ask.to, order: ask.order, take: ask.count, flags: Primary),
            (key: keys.Of(index), from, to, order, count),
            cancellation);
        return [.. entries.Select(entry => EntryOf(index, entry))];
    }

    /// <summary>Redis takes no member as a bound beside a score.</summary>
    private async Task<IReadOnlyList<IndexEntry>> Page(
        StoreKey index, Order order, PageCursor behind, RedisValue last, int count, CancellationToken cancellation)
    {
        var isUp = order == Order.Ascending;
        RedisValue[] values = [isUp, behind.Score, behind.Member, last.IsNull ? "-inf" : last, count];
        var page = (RedisValue[])(await Run(index.Partition, Script.Page, [keys.Of(index)], values, cancellation))!;
        return EntriesOf(index.Partition, page);
    }
}
