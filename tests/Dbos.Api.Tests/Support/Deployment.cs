using System.Globalization;

namespace Dbos.Api.Tests.Support;

/// <summary>One store of a test's own, and the DBOS processes that serve it.</summary>
public class Deployment(StoreKind kind, int servers = 1, params (string Name, string Value)[] settings) : IAsyncLifetime, IAsyncDisposable
{
    private static int prefixes;

    private readonly List<DbosServer> started = [];
    private readonly TemporaryFolder folder = new();
    private RedisServer? redis;

    /// <summary>On a cluster that others use too, each with a key prefix of its own.</summary>
    public Deployment(RedisCluster cluster, int servers = 1)
        : this(
            StoreKind.Cluster,
            servers,
            ("REDIS_ADDR", Patient.To(cluster.Address)),
            ("KEY_PREFIX", string.Create(CultureInfo.InvariantCulture, $"test{Interlocked.Increment(ref prefixes)}")))
    {
    }

    public RedisServer Redis => redis ?? throw new InvalidOperationException($"a deployment on {kind} has no Redis");

    public IReadOnlyList<DbosServer> Servers => started;

    public DbosServer Server => started[0];

    public DBOS.DBOSClient Client => Server.Client;

    /// <summary>What every server of this store is started with.</summary>
    public Dictionary<string, string> Settings
    {
        get
        {
            var all = settings.ToDictionary(setting => setting.Name, setting => setting.Value);
            all["DATA_DIR"] = folder.Path;
            if (kind != StoreKind.Cluster)
            {
                all["REDIS_ADDR"] = kind == StoreKind.Redis ? RedisAddress : "embedded";
            }

            return all;
        }
    }

    protected virtual string RedisAddress => Redis.Address;

    public static async Task<Deployment> Start(StoreKind kind, int servers = 1, params (string Name, string Value)[] settings)
    {
        var deployment = new Deployment(kind, servers, settings);
        await deployment.InitializeAsync();
        return deployment;
    }

    public async Task InitializeAsync()
    {
        if (kind == StoreKind.Redis)
        {
            redis = await RedisServer.Start();
        }

        started.AddRange(await Task.WhenAll(Enumerable.Range(0, servers).Select(_ => DbosServer.Start(Settings))));
    }

    /// <summary>Clients on connections of their own, in turn to each server.</summary>
    public DBOS.DBOSClient[] Connect(int clients) =>
        [.. Enumerable.Range(0, clients).Select(client => started[client % started.Count].Connect())];

    public async ValueTask DisposeAsync()
    {
        foreach (var server in started)
        {
            await server.DisposeAsync();
        }

        if (redis is not null)
        {
            await redis.DisposeAsync();
        }

        folder.Dispose();
        GC.SuppressFinalize(this);
    }

    async Task IAsyncLifetime.DisposeAsync() => await DisposeAsync();
}

/// <summary>Of tests that are not about how long DBOS waits for Redis.</summary>
public abstract class PatientOnRedis(int servers) : Deployment(StoreKind.Redis, servers)
{
    protected override string RedisAddress => Patient.To(base.RedisAddress);
}

public sealed class OneOnRedis() : PatientOnRedis(servers: 1);

public sealed class OneEmbedded() : Deployment(StoreKind.Embedded);

public sealed class TwoOnRedis() : PatientOnRedis(servers: 2);

public sealed class OneOnCluster(SharedCluster shared) : Deployment(shared.Cluster);

public sealed class TwoOnCluster(SharedCluster shared) : Deployment(shared.Cluster, servers: 2);
