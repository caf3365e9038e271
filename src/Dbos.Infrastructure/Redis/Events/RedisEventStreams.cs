using System.Globalization;
using Dbos.Application.Events;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Store;
using StackExchange.Redis;
using StreamPosition = Dbos.Application.Events.StreamPosition;

namespace Dbos.Infrastructure.Redis.Events;

/// <summary>Two Redis Streams in each partition. The history is written by the commits (event_log.lua).</summary>
public sealed class RedisEventStreams(RedisPartitions partitions, StoreSettings settings) : IEventStreams
{
    private const int ImportedAtOnce = 100;

    private static readonly Script LogRefusalScript = new("log_refusal");
    private static readonly Script ImportScript = new("import_events") { IsRepeatable = false };

    private string? generation;

    public int Partitions => partitions.Count;

    public int PartitionOf(string id) => partitions.Of(id);

    public async Task<string> Generation(CancellationToken cancellation) => generation ??=
        (string?)await partitions.Read(0, "HGET", [partitions.Key(0, RedisKeys.Layout), RedisKeys.Generation], cancellation) ?? string.Empty;

    public Task<IReadOnlyList<StoredEvent>> Backward(EventStreamKey stream, StreamPosition? from, int count, CancellationToken cancellation) =>
        Range("XREVRANGE", stream, from?.ToString() ?? "+", "-", count, cancellation);

    public Task<IReadOnlyList<StoredEvent>> Forward(EventStreamKey stream, StreamPosition? from, int count, CancellationToken cancellation) =>
        Range("XRANGE", stream, from?.ToString() ?? "-", "+", count, cancellation);

    public async Task<StreamPosition?> LastBefore(EventStreamKey stream, long milliseconds, CancellationToken cancellation)
    {
        // Without a sequence it is the last of the millisecond.
        var end = Math.Max(0, milliseconds - 1).ToString(CultureInfo.InvariantCulture);
        return await Range("XREVRANGE", stream, end, "-", 1, cancellation) is [var last] ? last.Position : null;
    }

    /// <summary>Redis counts what was added since 7.0, and only what is left before: then a full stream may have been trimmed.</summary>
    public async Task<bool> MayBeTrimmed(EventStreamKey stream, CancellationToken cancellation)
    {
        var info = (RedisResult[])(await partitions.Read(stream.Partition, "XINFO", ["STREAM", KeyOf(stream)], cancellation))!;
        var fields = info.Chunk(2).Where(field => field[1].Length < 0).ToDictionary(field => (string)field[0]!, field => field[1]);
        var length = (long)fields["length"];
        return length >= CapOf(stream.Log) || (fields.TryGetValue("entries-added", out var added) && (long)added > length);
    }

    public async Task<long> Length(EventStreamKey stream, CancellationToken cancellation) =>
        (long)await partitions.Read(stream.Partition, "XLEN", [KeyOf(stream)], cancellation);

    public Task LogRefusal(int partition, ReadOnlyMemory<byte> body, CancellationToken cancellation) => partitions.Write(
        LogRefusalScript, partition, [CapOf(EventLogName.Refusals), RedisPartitions.NewOperation(), body], cancellation);

    public async Task Import(EventStreamKey stream, IReadOnlyList<ReadOnlyMemory<byte>> events, CancellationToken cancellation)
    {
        foreach (var some in events.Chunk(ImportedAtOnce))
        {
            await partitions.Write(
                ImportScript,
                stream.Partition,
                [Names.Events(stream.Log), some.Length, .. some.SelectMany(json => new RedisValue[] { EventJson.TimeOf(json.Span), json })],
                cancellation);
        }
    }

    private async Task<IReadOnlyList<StoredEvent>> Range(
        string command, EventStreamKey stream, string from, string to, int count, CancellationToken cancellation)
    {
        var entries = (RedisResult[])(await partitions.Read(
            stream.Partition, command, [KeyOf(stream), from, to, "COUNT", count], cancellation, cost: StorePermits.CostOfUpTo(count)))!;
        return [.. entries.Select(EventOf)];
    }

    private static StoredEvent EventOf(RedisResult entry)
    {
        var (position, fields) = ((string)entry[0]!, entry[1]);
        return new StoredEvent(
            StreamPosition.Parse(position) ?? throw new InvalidOperationException($"a stream has an entry {position}"), (byte[])fields[1]!);
    }

    private RedisKey KeyOf(EventStreamKey stream) => partitions.Key(stream.Partition, Names.Events(stream.Log));

    private int CapOf(EventLogName log) => partitions.ShareOf(log == EventLogName.History ? settings.EventRetention : settings.RefusalRetention);
}
