namespace Dbos.Api.Tests.Support;

/// <summary>One store of a test's own, and the DBOS processes that serve it.</summary>
public class Deployment(StoreKind kind, int servers = 1, params (string Name, string Value)[] settings) : IAsyncLifetime, IAsyncDisposable
{
    private readonly List<DbosServer> started = [];
    private readonly TemporaryFolder folder = new();
    private RedisServer? redis;

    public RedisServer Redis => redis ?? throw new InvalidOperationException($"a deployment on {kind} has no Redis");

    public IReadOnlyList<DbosServer> Servers => started;

    public DbosServer Server => started[0];

    public DBOS.DBOSClient Client => Server.Client;

    /// <summary>What every server of this store is started with.</summary>
    public Dictionary<string, string> Settings => new(settings.ToDictionary(setting => setting.Name, setting => setting.Value))
    {
        ["REDIS_ADDR"] = kind == StoreKind.Redis ? Redis.Address : "embedded",
        ["DATA_DIR"] = folder.Path,
    };

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

public sealed class OneOnRedis() : Deployment(StoreKind.Redis);

public sealed class OneEmbedded() : Deployment(StoreKind.Embedded);

public sealed class TwoOnRedis() : Deployment(StoreKind.Redis, servers: 2);
