using System.Globalization;

namespace Dbos.Infrastructure.Redis.Connection;

/// <summary>What INFO replication says of a server.</summary>
/// <param name="History">The id of what it has written: another primary has another.</param>
/// <param name="Offset">How far that goes.</param>
/// <param name="ReplicaOffsets">How far each replica said that it has it.</param>
internal sealed record ReplicationInfo(bool IsPrimary, string History, long Offset, IReadOnlyList<long> ReplicaOffsets)
{
    public static ReplicationInfo Read(string info)
    {
        var lines = info.Split('\n', StringSplitOptions.TrimEntries).Where(line => line.Contains(':', StringComparison.Ordinal))
            .Select(line => line.Split(':', 2)).ToDictionary(line => line[0], line => line[1]);
        return new ReplicationInfo(
            lines["role"] == "master",
            lines["master_replid"],
            Number(lines["master_repl_offset"]),
            [.. lines.Where(IsOnline).Select(line => OffsetOf(line.Value))]);
    }

    /// <summary>As slave0:ip=127.0.0.1,port=6380,state=online,offset=112,lag=1; it may have further fields.</summary>
    private static bool IsOnline(KeyValuePair<string, string> line) =>
        line.Key.StartsWith("slave", StringComparison.Ordinal) && line.Value.Split(',').Contains("state=online");

    private static long OffsetOf(string replica) =>
        Number(replica.Split(',').Single(field => field.StartsWith("offset=", StringComparison.Ordinal))["offset=".Length..]);

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
