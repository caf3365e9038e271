using System.Diagnostics;
using Dbos.Application.Paging;
using Dbos.Infrastructure.Store;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis;

/// <summary>The store port on Redis: a commit and a take are one script each, reads are one command.</summary>
public sealed class RedisStore(RedisConnection connection, StoreSettings settings, RedisClock clock) : IStore
{
    private static readonly RedisValue[] RecordFields = ["version", "document", "payload", "deliveries", "leased_until"];

    private readonly RedisKeys keys = new(settings.KeyPrefix, settings.Partitions);
    private readonly EventCap history = new(settings.EventRetention, settings.Partitions);
    private readonly EventCap refusals = new(settings.RefusalRetention, settings.Partitions);

    public int Partitions => settings.Partitions;

    public async Task<CommitOutcome> Commit(Commit commit, CancellationToken cancellation)
    {
        var partition = commit.Partition;
        var record = keys.Of(partition, commit.Record);
        var names = new RedisKey[3 + commit.Indexes.Count];
        names[0] = record;
        names[1] = commit.Mark is { } mark ? keys.Of(partition, mark.Name) : record;
        names[2] = keys.Of(partition, Names.Events(EventLogName.History));

        var values = new RedisValue[10 + commit.Events.Count + (2 * commit.Indexes.Count)];
        values[0] = commit.ExpectedVersion;
        values[1] = commit.Document;
        values[2] = commit.Payload ?? default;
        values[3] = Seconds(commit.Lifetime);
        values[4] = commit.EndsLease;
        values[5] = commit.Mark?.Value ?? default;
        values[6] = Seconds(commit.Mark?.Lifetime);
        values[7] = history.Most;
        values[8] = history.TrimAt;
        values[9] = commit.Events.Count;
        var at = 10;
        foreach (var told in commit.Events)
        {
            values[at++] = told;
        }

        for (var i = 0; i < commit.Indexes.Count; i++)
        {
            var change = commit.Indexes[i];
            names[3 + i] = keys.Of(partition, change.Index);
            values[at++] = change.Score is { } score ? score : RedisValue.EmptyString;
            values[at++] = change.Member;
        }

        var answer = (RedisResult[])(await Run(Script.Commit, names, values, cancellation))!;
        return (int)answer[0] switch
        {
            0 => CommitOutcome.Done.Instance,
            1 => new CommitOutcome.Marked((byte[])answer[1]!),
            2 => new CommitOutcome.Conflict(RecordOf([.. answer.Skip(1).Select(field => (RedisValue)field)])),
            var unknown => throw new InvalidOperationException($"commit.lua answered {unknown}"),
        };
    }

    public async Task<IReadOnlyList<Delivery>> Take(Take take, CancellationToken cancellation)
    {
        const int FieldsOfOne = 6;
        var names = new RedisKey[3 + take.Candidates.Count];
        names[0] = keys.Of(take.Partition, take.From);
        names[1] = keys.Of(take.Partition, take.To);
        names[2] = keys.Of(take.Partition, Names.Events(EventLogName.History));
        var values = new RedisValue[9 + take.Candidates.Count];
        values[0] = take.Due;
        values[1] = (long)take.Lease.TotalMilliseconds;
        values[2] = take.Limit;
        values[3] = take.ByteBudget;
        values[4] = take.AtLeastOne;
        values[5] = history.Most;
        values[6] = history.TrimAt;
        values[7] = take.Told.Head;
        values[8] = take.Told.Tail;
        for (var i = 0; i < take.Candidates.Count; i++)
        {
            names[3 + i] = keys.Of(take.Partition, take.Candidates[i].Record);
            values[9 + i] = take.Candidates[i].Member;
        }

        var answer = (RedisResult[])(await Run(Script.Take, names, values, cancellation))!;
        var leasedUntil = DateTimeOffset.FromUnixTimeMilliseconds((long)answer[^1]);
        return
        [
            .. answer[..^1].Chunk(FieldsOfOne).Select(field => new Delivery(
                (string)field[0]!,
                (long)field[1],
                new StoredRecord((long)field[2], (byte[])field[3]!, (byte[]?)field[4], (long)field[5], leasedUntil))),
        ];
    }

    public async Task<StoredRecord?> Find(StoreKey record, CancellationToken cancellation) =>
        RecordOf(await connection.Ask(
            static (redis, ask) => redis.HashGetAsync(ask.key, ask.fields), (key: keys.Of(record), fields: RecordFields), cancellation));

    public async Task<ReadOnlyMemory<byte>?> FindMark(StoreKey mark, CancellationToken cancellation)
    {
        var value = await connection.Ask(static (redis, key) => redis.StringGetAsync(key), keys.Of(mark), cancellation);
        return value.IsNull ? null : (ReadOnlyMemory<byte>?)value;
    }

    public async Task<IReadOnlyList<IndexEntry>> Lowest(StoreKey index, long upTo, int count, CancellationToken cancellation)
    {
        var entries = await connection.Ask(
            static (redis, ask) => redis.SortedSetRangeByScoreWithScoresAsync(ask.key, stop: ask.upTo, take: ask.count),
            (key: keys.Of(index), upTo, count),
            cancellation);
        return [.. entries.Select(entry => EntryOf(index, entry))];
    }

    public async Task<IReadOnlyList<IndexEntry>> Highest(
        StoreKey index, PageCursor? below, int count, CancellationToken cancellation)
    {
        var found = new List<IndexEntry>();
        long skip = 0;
        while (found.Count < count)
        {
            var entries = await connection.Ask(
                static (redis, ask) => redis.SortedSetRangeByScoreWithScoresAsync(
                    ask.key, stop: ask.highest, order: Order.Descending, skip: ask.skip, take: ask.count),
                (key: keys.Of(index), highest: below?.Score ?? double.PositiveInfinity, skip, count),
                cancellation);

            // Redis takes no member as a bound beside a score: those of the cursor's own score that
            // belong to pages before are passed over here.
            found.AddRange(entries.Select(entry => EntryOf(index, entry)).Where(entry =>
                below is null || entry.Score < below.Score || Utf8Order.Compare(entry.Member, below.Member) < 0));
            if (entries.Length < count)
            {
                break;
            }

            skip += entries.Length;
        }

        return found.Count <= count ? found : found[..count];
    }

    public async Task<IReadOnlyList<IndexEntry>> ByMember(StoreKey index, string? after, int count, CancellationToken cancellation)
    {
        var members = await connection.Ask(
            static (redis, ask) => redis.SortedSetRangeByValueAsync(
                ask.key, min: ask.after ?? RedisValue.Null, exclude: Exclude.Start, take: ask.count),
            (key: keys.Of(index), after, count),
            cancellation);
        return [.. members.Select(member => new IndexEntry(index.Partition, member!, 0))];
    }

    public Task Append(int partition, EventLogName log, ReadOnlyMemory<byte> told, CancellationToken cancellation)
    {
        var cap = log == EventLogName.History ? history : refusals;
        return Run(Script.Append, [keys.Of(partition, Names.Events(log))], [told, cap.Most, cap.TrimAt], cancellation);
    }

    public async Task<IReadOnlyList<ReadOnlyMemory<byte>>> NewestEvents(
        int partition, EventLogName log, int count, CancellationToken cancellation)
    {
        var events = await connection.Ask(
            static (redis, ask) => redis.ListRangeAsync(ask.key, 0, ask.count - 1),
            (key: keys.Of(partition, Names.Events(log)), count),
            cancellation);
        return [.. events.Select(told => (ReadOnlyMemory<byte>)told)];
    }

    /// <summary>In every partition, as each may live on another node; the first one's node tells the time.</summary>
    public async Task Probe(CancellationToken cancellation)
    {
        var asked = Stopwatch.GetTimestamp();
        var first = Run(Script.Probe, [keys.Of(0, "probe")], [], cancellation);
        var others = Enumerable.Range(1, Partitions - 1)
            .Select(partition => Run(Script.Probe, [keys.Of(partition, "probe")], [], cancellation))
            .ToArray();
        var time = (long[])(await first)!;
        clock.Hear(time[0], time[1], asked);
        await Task.WhenAll(others);
    }

    private static long Seconds(TimeSpan? duration) => duration is { } some ? Math.Max(1, (long)some.TotalSeconds) : 0;

    private static IndexEntry EntryOf(StoreKey index, SortedSetEntry entry) =>
        new(index.Partition, entry.Element!, (long)entry.Score);

    private static StoredRecord? RecordOf(RedisValue[] fields) => fields[0].IsNull
        ? null
        : new StoredRecord(
            (long)fields[0],
            fields[1],
            fields[2],
            (long)fields[3],
            fields[4].IsNull ? null : DateTimeOffset.FromUnixTimeMilliseconds((long)fields[4]));

    private Task<RedisResult> Run(Script script, RedisKey[] names, RedisValue[] values, CancellationToken cancellation) =>
        connection.Ask(
            static (redis, ask) => ask.script.Run(redis, ask.names, ask.values),
            (script, names, values),
            cancellation);

    /// <summary>Trimming on every push is waste: the log may grow by a tenth before it is cut back.</summary>
    private readonly record struct EventCap
    {
        public EventCap(int overAll, int partitions)
        {
            Most = (overAll + partitions - 1) / partitions;
            TrimAt = Most + (Most / 10);
        }

        public int Most { get; }

        public int TrimAt { get; }
    }
}
