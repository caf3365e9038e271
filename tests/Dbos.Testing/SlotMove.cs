using System.Globalization;

namespace Dbos.Testing;

/// <summary>A slot on its way from one node of a <see cref="RedisCluster"/> to another.</summary>
public sealed class SlotMove
{
    private readonly string slot;
    private readonly ClusterNode from;
    private readonly ClusterNode to;

    private SlotMove(int slot, ClusterNode from, ClusterNode to) =>
        (this.slot, this.from, this.to) = (slot.ToString(CultureInfo.InvariantCulture), from, to);

    /// <summary>Moves the next of its keys.</summary>
    /// <returns>False: there are no more.</returns>
    public async Task<bool> MoveKeys(int most = 100)
    {
        var keys = await from.Server.Ask("cluster", "getkeysinslot", slot, most.ToString(CultureInfo.InvariantCulture));
        if (keys.Length == 0)
        {
            return false;
        }

        await from.Server.Order(
            ["migrate", "127.0.0.1", to.Server.Port.ToString(CultureInfo.InvariantCulture), string.Empty, "0", "5000", "keys", .. keys.Split('\n')]);
        return true;
    }

    /// <summary>The slot is the other node's, which is told first: at no time does nobody serve it.</summary>
    public async Task End()
    {
        await to.Server.Order("cluster", "setslot", slot, "node", to.Id);
        await from.Server.Order("cluster", "setslot", slot, "node", to.Id);
    }

    internal static async Task<SlotMove> Begin(int slot, ClusterNode from, ClusterNode to)
    {
        var move = new SlotMove(slot, from, to);
        await to.Server.Order("cluster", "setslot", move.slot, "importing", from.Id);
        await from.Server.Order("cluster", "setslot", move.slot, "migrating", to.Id);
        return move;
    }
}
