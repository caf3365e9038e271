namespace Dbos.Api.Tests.Support;

// One deployment of each kind for all suites that are content with ids of their own: they run one after the other on it.

/// <summary>Two DBOS on one Redis.</summary>
[CollectionDefinition(Name)]
public sealed class SharedRedis() : PatientOnRedis(servers: 2), ICollectionFixture<SharedRedis>
{
    public const string Name = "Redis";
}

/// <summary>One DBOS, as no two may share a file.</summary>
[CollectionDefinition(Name)]
public sealed class SharedEmbedded() : Deployment(StoreKind.Embedded), ICollectionFixture<SharedEmbedded>
{
    public const string Name = "Embedded";
}

/// <summary>
/// Two DBOS on one Redis Cluster, which takes seconds to start: whoever needs a store of its own has it there under a key prefix
/// of its own.
/// </summary>
[CollectionDefinition(Name)]
public sealed class SharedCluster : ICollectionFixture<SharedCluster>, IAsyncLifetime
{
    public const string Name = "Redis Cluster";

    /// <summary>A busy machine must not be taken for a dead node.</summary>
    private static readonly TimeSpan NodeTimeout = TimeSpan.FromSeconds(15);

    public RedisCluster Cluster { get; private set; } = null!;

    public Deployment Dbos { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Cluster = await RedisCluster.Start(NodeTimeout);
        Dbos = new Deployment(Cluster, servers: 2);
        await Dbos.InitializeAsync();
    }

    public async Task DisposeAsync()
    {
        await Dbos.DisposeAsync();
        await Cluster.DisposeAsync();
    }
}
