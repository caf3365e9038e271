using System.Globalization;

namespace Dbos.Testing;

/// <summary>A Redis Cluster of a test's own on loopback: three masters with a third of the slots each, and a replica of each.</summary>
public sealed class RedisCluster : IAsyncDisposable
{
    public const int Slots = 16_384;
    public const int Masters = 3;

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

    /// <summary>A node that serves slots, but not this one: each in turn, if the slot is moved to it.</summary>
    public async Task<RedisServer> NextAfter(int slot)
    {
        var serving = await ServingNodes();
        var owner = (await OwnerOf(slot)).Server;
        return serving.Concat(serving).SkipWhile(node => node != owner).ElementAt(1);
    }

    /// <summary>The slot of a key, or of what stands in braces in it.</summary>
    public async Task<int> SlotOf(string key) =>
        int.Parse(await Answering.First().Ask("cluster", "keyslot", key), CultureInfo.InvariantCulture);

    /// <summary>The nodes that serve slots now.</summary>
    public async Task<IReadOnlyList<RedisServer>> ServingNodes() =>
        [.. (await Views()).Where(node => node is { IsMaster: true, Slots.Count: > 0 }).Select(node => node.Server)];

    /// <summary>The slots that hold keys whose names match, as Redis's KEYS reads patterns.</summary>
    public async Task<IReadOnlyList<int>> SlotsOf(string pattern)
    {
        var keys = await Task.WhenAll((await ServingNodes()).Select(node => node.Ask("keys", pattern)));
        var tags = keys
            .SelectMany(some => some.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            .Select(key => key[..(key.IndexOf('}', StringComparison.Ordinal) + 1)])
            .Distinct();
        return [.. (await Task.WhenAll(tags.Select(SlotOf))).Distinct()];
    }

    /// <summary>Moves a slot with all its keys while clients use them.</summary>
    public async Task MoveSlot(int slot, RedisServer to)
    {
        if (await MasterOf(slot) == to)
        {
            return;
        }

        var move = await BeginMove(slot, to);
        while (await move.MoveKeys())
        {
        }

        await move.End();
    }

    /// <summary>From now on what the slot's master does not have is looked for where the slot moves to.</summary>
    public async Task<SlotMove> BeginMove(int slot, RedisServer to) => await SlotMove.Begin(
        slot,
        await OwnerOf(slot),
        await ClusterNode.See(to) ?? throw new InvalidOperationException($"{to.Address} does not say who it is"));

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
            await Nodes[i].Order("cluster", "addslotsrange", Text(Slots * i / Masters), Text((Slots * (i + 1) / Masters) - 1));
            await Nodes[i].Order("cluster", "set-config-epoch", Text(i + 1));
        }

        var views = await Views();
        await Eventually.True(() => KnowEachOther(views), Patience, "a node knows all others");
        for (var i = 0; i < Masters; i++)
        {
            var (master, replica) = (views[i], Nodes[Masters + i]);
            await Eventually.True(
                async () => await replica.Ask("cluster", "replicate", master.Id) == "OK", Patience, "a node has heard of its master");
        }
    }

    /// <summary>Introduces whom the first does not know: a node that is slow to answer is forgotten again.</summary>
    private async Task<bool> KnowEachOther(IReadOnlyList<ClusterNode> views)
    {
        var known = await Nodes[0].Ask("cluster", "nodes");
        var strangers = views.Where(node => !known.Contains(node.Id, StringComparison.Ordinal)).ToArray();
        foreach (var node in strangers)
        {
            await Nodes[0].Order("cluster", "meet", "127.0.0.1", Text(node.Server.Port), Text(node.BusPort));
        }

        return strangers.Length == 0;
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

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
