using Dbos.Testing;

namespace Dbos.Infrastructure.Tests.Engines;

/// <summary>A Redis Cluster, which the suites on it share: it takes seconds to start.</summary>
[CollectionDefinition(Name)]
public sealed class ClusterEngine : AnyRedisEngine, ICollectionFixture<ClusterEngine>
{
    public const string Name = "Redis Cluster";

    /// <summary>A busy machine must not be taken for a dead node.</summary>
    private static readonly TimeSpan NodeTimeout = TimeSpan.FromSeconds(15);

    public RedisCluster Cluster { get; private set; } = null!;

    /// <summary>Any node, be it a replica: a client finds the others by itself.</summary>
    protected override string Address => Cluster.Nodes[^1].Address;

    protected override async Task StartRedis() => Cluster = await RedisCluster.Start(NodeTimeout);

    protected override async Task StopRedis() => await Cluster.DisposeAsync();
}
