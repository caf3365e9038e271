using System.Globalization;
using Dbos.Infrastructure.Store;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis.Connection;

/// <summary>
/// A name within a partition as a Redis key: the hash tag in front, by which Redis Cluster puts a partition's
/// keys into one hash slot.
/// </summary>
public sealed class RedisKeys(string prefix, int partitions)
{
    /// <summary>In the first partition.</summary>
    public const string Layout = "layout";

    /// <summary>A field of the layout: which generation of the store the positions in its event log are of.</summary>
    public const string Generation = "generation";

    /// <summary>In every partition.</summary>
    public const string Probe = "probe";

    /// <summary>In every partition, and never written: Redis Cluster refuses a script that declares it while the slot is on the move.</summary>
    public const string Absent = "absent";

    private readonly RedisKey[][] scopes =
        [.. HashTags.Of(prefix, partitions).Select(tag => new RedisKey[] { $"{{{tag}}}:", $"{{{tag}}}:{Absent}" })];

    /// <summary>The first partition alone, whose keys are the same whatever number of partitions there are.</summary>
    public static RedisKeys OfFirst(string prefix) => new(prefix, partitions: 1);

    public int Partitions => partitions;

    /// <summary>Matches every key, as Redis's SCAN reads patterns.</summary>
    public string Pattern => $"{{{string.Concat(prefix.Select(c => "?*[]^\\".Contains(c, StringComparison.Ordinal) ? $"\\{c}" : $"{c}"))}:*}}:*";

    /// <summary>The keys that a script of the partition declares, as args.lua says.</summary>
    public RedisKey[] Scope(int partition) => scopes[partition];

    public RedisKey Of(int partition, string name) => scopes[partition][0].Append(name);

    public RedisKey Of(StoreKey key) => Of(key.Partition, key.Name);

    /// <summary>What a key of this store names; null: it is another store's, whose prefix begins like this one's.</summary>
    public StoreKey? Read(string key)
    {
        var colon = prefix.Length + 1;
        var end = key.IndexOf('}', colon);
        var number = key.AsSpan(colon + 1, end - colon - 1);
        if (number.IndexOf('.') is > 0 and var dot)
        {
            number = number[..dot];
        }

        return int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var partition)
            ? new StoreKey(partition, key[(end + 2)..])
            : null;
    }
}
