namespace Dbos.Chaos.Faults;

/// <summary>The Redis under all replicas: a cluster of three masters and three replicas, or one.</summary>
internal sealed class Backing : IAsyncDisposable
{
    /// <summary>Silence after which a master is failed over: within what the faults last, so that some are and some are not.</summary>
    private static readonly TimeSpan NodeTimeout = TimeSpan.FromSeconds(2);

    private readonly RedisCluster? cluster;
    private readonly IReadOnlyList<RedisServer> nodes;

    private Backing(RedisServer single) => nodes = [single];

    private Backing(RedisCluster cluster)
    {
        this.cluster = cluster;
        nodes = cluster.Nodes;
    }

    public string Address => string.Join(',', nodes.Select(node => node.Address));

    public bool IsCluster => cluster is not null;

    public static async Task<Backing> Start(bool single)
    {
        // An append-only file that is synced before each answer is this store's whole promise.
        string[] options = ["--appendfsync", "always"];
        return single ? new Backing(await RedisServer.Start(options)) : new Backing(await RedisCluster.Start(NodeTimeout, options));
    }

    /// <summary>Those that take writes now.</summary>
    public async Task<IReadOnlyList<RedisServer>> Masters() => cluster is null ? nodes : await cluster.ServingNodes();

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
        foreach (var node in nodes)
        {
            await node.DisposeAsync();
        }
    }
}
