namespace Dbos.Api.Tests.Support;

/// <summary>One Redis Cluster for all classes that are content with a key prefix of their own: it takes seconds to start.</summary>
[CollectionDefinition(Name)]
public sealed class SharedCluster : ICollectionFixture<SharedCluster>, IAsyncLifetime
{
    public const string Name = "Redis Cluster";

    /// <summary>A busy machine must not be taken for a dead node.</summary>
    private static readonly TimeSpan NodeTimeout = TimeSpan.FromSeconds(15);

    public RedisCluster Cluster { get; private set; } = null!;

    public async Task InitializeAsync() => Cluster = await RedisCluster.Start(NodeTimeout);

    public async Task DisposeAsync() => await Cluster.DisposeAsync();
}
