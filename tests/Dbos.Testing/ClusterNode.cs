using System.Globalization;

namespace Dbos.Testing;

/// <summary>What a node of a <see cref="RedisCluster"/> says of itself.</summary>
/// <param name="BusPort">On which the nodes speak with each other.</param>
/// <param name="Epoch">Grows with each change of who serves what: of two that claim a slot, the later is right.</param>
/// <param name="Known">The flags of every node that it has met, itself among them.</param>
internal sealed record ClusterNode(
    RedisServer Server, string Id, int BusPort, bool IsMaster, long Epoch, IReadOnlyList<(int First, int Last)> Slots, IReadOnlyList<string> Known)
{
    /// <summary>Null: it is loading its data.</summary>
    public static async Task<ClusterNode?> See(RedisServer server)
    {
        // <id> <ip:port@bus> <flags> <master> <ping> <pong> <epoch> <link> <slots> ..., of slots on their way [slot->-node]
        const int FirstSlots = 8;
        var lines = (await server.Ask("cluster", "nodes")).Split('\n');
        var own = lines.Select(line => line.Split(' '))
            .SingleOrDefault(fields => fields.Length >= FirstSlots && fields[2].Contains("myself", StringComparison.Ordinal));
        return own is null ? null : new ClusterNode(
            server,
            own[0],
            Number(own[1].Split('@', ',')[1]),
            own[2].Contains("master", StringComparison.Ordinal),
            Number(own[6]),
            [.. own.Skip(FirstSlots).Where(slots => slots[0] != '[').Select(slots => slots.Split('-')).Select(ends => (Number(ends[0]), Number(ends[^1])))],
            [.. lines.Select(line => line.Split(' ')[2])]);
    }

    public bool Serves(int slot) => IsMaster && Slots.Any(slots => slots.First <= slot && slot <= slots.Last);

    /// <summary>It sees every node in its role, and none that fails.</summary>
    public bool SeesAllWell(int masters, int replicas) =>
        Known.Count(flags => IsWell(flags, "master")) == masters
        && Known.Count(flags => IsWell(flags, "slave")) == replicas
        && Known.Count == masters + replicas;

    private static bool IsWell(string flags, string role) => flags.Split(',').All(flag => flag == role || flag == "myself");

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
