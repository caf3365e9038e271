using System.Collections.Concurrent;
using System.Globalization;

namespace Dbos.Chaos.Faults;

/// <summary>
/// The Redis under all replicas: a cluster of three masters and three replicas, or one. Each node is reached through a
/// proxy of its own, by DBOS and by the node that follows it.
/// </summary>
internal sealed class Backing : IAsyncDisposable
{
    /// <summary>Silence after which a master is failed over: within what the faults last, so that some are and some are not.</summary>
    private static readonly TimeSpan NodeTimeout = TimeSpan.FromSeconds(2);

    /// <summary>By the port of the node behind it.</summary>
    private readonly ConcurrentDictionary<int, TcpProxy> proxies = [];
    private RedisCluster? cluster;

    private Backing()
    {
    }

    /// <summary>Masters and those that follow them.</summary>
    public IReadOnlyList<RedisServer> Nodes { get; private set; } = [];

    public string Address => string.Join(',', Nodes.Select(node => ProxyOf(node).Address));

    public static async Task<Backing> Start(bool single)
    {
        var backing = new Backing();
        if (single)
        {
            backing.Nodes = [await RedisServer.Start(port => [.. backing.Options(port)])];
        }
        else
        {
            backing.cluster = await RedisCluster.Start(
                NodeTimeout,
                port => [.. backing.Options(port), "--cluster-announce-port", backing.proxies[port].Port.ToString(CultureInfo.InvariantCulture)]);
            backing.Nodes = backing.cluster.Nodes;
        }

        return backing;
    }

    public TcpProxy ProxyOf(RedisServer node) => proxies[node.Port];

    /// <summary>Those that take writes now.</summary>
    public async Task<IReadOnlyList<RedisServer>> Masters() => cluster is null ? Nodes : await cluster.ServingNodes();

    /// <summary>Every node answers, and each master has its replica.</summary>
    public async Task WaitUntilWell()
    {
        if (cluster is not null)
        {
            await cluster.WaitUntilHealthy();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in Nodes)
        {
            await node.DisposeAsync();
        }

        foreach (var proxy in proxies.Values)
        {
            await proxy.DisposeAsync();
        }
    }

    /// <summary>Synced before each answer: a node's append-only file has all that it ever acknowledged.</summary>
    private string[] Options(int port)
    {
        proxies.TryAdd(port, new TcpProxy(port));
        return ["--appendfsync", "always"];
    }
}
