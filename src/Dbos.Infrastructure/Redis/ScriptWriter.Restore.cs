using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Store;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis;

/// <summary>Of the script that imports run.</summary>
internal sealed partial class ScriptWriter
{
    public (RedisKey[] Keys, RedisValue[] Values) Restore(Restoration restoration)
    {
        var partition = restoration.Partition;
        var names = new List<RedisKey> { keys.Of(partition, Names.Counts(null)) };
        var values = new List<RedisValue>
        {
            clock.GetUtcNow().ToUnixTimeMilliseconds(),
            (long)Turn.Horizon.TotalMilliseconds,
            channels.Due,
            restoration.Records.Count,
            restoration.Marks.Count,
            restoration.Counts.Count,
        };
        foreach (var (name, record, indexes, lanes) in restoration.Records)
        {
            names.Add(keys.Of(partition, name));
            values.Add(record.Version);
            values.Add(record.Document);
            values.Add(record.Payload);
            values.Add(record.Deliveries);
            values.Add(record.LeasedUntil is { } until ? until.ToUnixTimeMilliseconds() : RedisValue.EmptyString);
            values.Add(indexes.Count);
            values.Add(lanes.Count);
            Write(indexes, lanes, partition, names, values);
        }

        foreach (var mark in restoration.Marks)
        {
            names.Add(keys.Of(partition, mark.Name));
            values.Add(mark.Value);
            values.Add((long)mark.Lifetime.TotalMilliseconds);
        }

        foreach (var (name, amount) in restoration.Counts)
        {
            values.Add(name);
            values.Add(amount);
        }

        return ([.. names], [.. values]);
    }
}
