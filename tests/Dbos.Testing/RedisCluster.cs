using System.Globalization;

namespace Dbos.Testing;

/// <summary>A Redis Cluster of a test's own on loopback: three masters with a third of the slots each, and a replica of each.</summary>
public sealed class RedisCluster : IAsyncDisposable
{
    public const int Slots = 16_384;

    private const int Masters = 3;
    private const int Replicas = 3;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private RedisCluster(IReadOnlyList<RedisServer> nodes) => Nodes = nodes;

    /// <summary>The first masters, then their replicas in the same order: roles change with each failover.</summary>
    public IReadOnlyList<RedisServer> Nodes { get; }

    /// <summary>Every node, as a client is told of them.</summary>
    public string Address => string.Join(',', Nodes.Select(node => node.Address));

    /// <param name="nodeTimeout">Silence after which a node is failed over.</param>
    /// <param name="options">Further command line options of every node, as <c>--maxmemory 100mb</c>.</param>
    public static Task<RedisCluster> Start(TimeSpan nodeTimeout, params string[] options) => Start(nodeTimeout, _ => options);

    /// <param name="nodeTimeout">Silence after which a node is failed over.</param>
    /// <param name="options">Further command line options of the node on a port.</param>
    public static async Task<RedisCluster> Start(TimeSpan nodeTimeout, Func<int, string[]> options)
    {
        var cluster = new RedisCluster(await Task.WhenAll(Enumerable.Range(0, Masters + Replicas).Select(_ => RedisServer.Start(port =>
        [
            "--cluster-enabled", "yes", "--cluster-port", Text(FreePort.Find()), "--cluster-announce-ip", "127.0.0.1",
            "--cluster-node-timeout", Text((int)nodeTimeout.TotalMilliseconds),
            "--cluster-require-full-coverage", "no", "--cluster-allow-replica-migration", "no",
            "--repl-diskless-sync-delay", "0", .. options(port),
        ]))));
        try
        {
            await cluster.Join();
            await cluster.WaitUntilHealthy();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Who serves a slot, as the nodes say of themselves; the later claim counts.</summary>
    public async Task<RedisServer> MasterOf(int slot) => (await OwnerOf(slot)).Server;

    /// <summary>The slot of a key, or of what stands in braces in it.</summary>
    public async Task<int> SlotOf(string key) =>
        int.Parse(await Answering.First().Ask("cluster", "keyslot", key), CultureInfo.InvariantCulture);

    /// <summary>The nodes that serve slots now.</summary>
    public async Task<IReadOnlyList<RedisServer>> ServingNodes() =>
        [.. (await Views()).Where(node => node is { IsMaster: true, Slots.Count: > 0 }).Select(node => node.Server)];

    /// <summary>Moves a slot with all its keys while clients use them.</summary>
    public async Task MoveSlot(int slot, RedisServer to)
    {
        var owner = await OwnerOf(slot);
        if (owner.Server == to)
        {
            return;
        }

        var taker = await ClusterNode.See(to) ?? throw new InvalidOperationException($"{to.Address} does not say who it is");
        var number = Text(slot);
        await Order(to, "cluster", "setslot", number, "importing", owner.Id);
        await Order(owner.Server, "cluster", "setslot", number, "migrating", taker.Id);
        while (await owner.Server.Ask("cluster", "getkeysinslot", number, "100") is { Length: > 0 } keys)
        {
            await Order(owner.Server, ["migrate", "127.0.0.1", Text(to.Port), string.Empty, "0", "5000", "keys", .. keys.Split('\n')]);
        }

        // The taker first: at no time does nobody serve the slot.
        await Order(to, "cluster", "setslot", number, "node", taker.Id);
        await Order(owner.Server, "cluster", "setslot", number, "node", taker.Id);
    }

    /// <summary>Every node answers and says that the cluster is well, every slot is served and every replica follows its master.</summary>
    public Task<TimeSpan> WaitUntilHealthy() => Eventually.True(IsHealthy, Patience, "every node of the cluster is well");

    public async ValueTask DisposeAsync()
    {
        foreach (var node in Nodes)
        {
            await node.DisposeAsync();
        }
    }

    private IEnumerable<RedisServer> Answering => Nodes.Where(node => node.IsAnswering);

    private async Task Join()
    {
        for (var i = 0; i < Masters; i++)
        {
            await Order(Nodes[i], "cluster", "addslotsrange", Text(Slots * i / Masters), Text((Slots * (i + 1) / Masters) - 1));
            await Order(Nodes[i], "cluster", "set-config-epoch", Text(i + 1));
        }

        var views = await Views();
        foreach (var node in views.Skip(1))
        {
            await Order(Nodes[0], "cluster", "meet", "127.0.0.1", Text(node.Server.Port), Text(node.BusPort));
        }

        for (var i = 0; i < Masters; i++)
        {
            var (master, replica) = (views[i], Nodes[Masters + i]);
            await Eventually.True(
                async () => await replica.Ask("cluster", "replicate", master.Id) == "OK", Patience, "a node has heard of its master");
        }
    }

    private async Task<bool> IsHealthy()
    {
        if (!Nodes.All(node => node.IsAnswering))
        {
            return false;
        }

        var views = await Views();
        return views.Sum(node => node.IsMaster ? node.Slots.Sum(slots => slots.Last - slots.First + 1) : 0) == Slots
            && views.Count(node => node.SeesAllWell(Masters, Replicas)) == Nodes.Count
            && (await Task.WhenAll(Nodes.Select(node => node.Ask("cluster", "info")))).All(told => told.Contains("cluster_state:ok", StringComparison.Ordinal))
            && (await Task.WhenAll(views.Where(node => !node.IsMaster).Select(node => node.Server.Ask("info", "replication"))))
                .All(told => told.Contains("master_link_status:up", StringComparison.Ordinal));
    }

    private async Task<ClusterNode> OwnerOf(int slot) =>
        (await Views()).Where(node => node.Serves(slot)).MaxBy(node => node.Epoch)
        ?? throw new InvalidOperationException($"no node serves slot {slot}");

    private async Task<IReadOnlyList<ClusterNode>> Views() =>
        [.. (await Task.WhenAll(Answering.Select(ClusterNode.See))).OfType<ClusterNode>()];

    private static async Task Order(RedisServer node, params string[] command)
    {
        var answer = await node.Ask(command);
        if (answer is not ("OK" or "NOKEY"))
        {
            throw new InvalidOperationException($"{node.Address} answered {answer} to {string.Join(' ', command)}");
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
