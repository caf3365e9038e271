using Dbos.Testing;

namespace Dbos.Benchmarks;

/// <summary>The servers of one benchmark. They end in the reverse order of their start.</summary>
internal sealed class Servers(Options options) : IAsyncDisposable
{
    private readonly Stack<object> started = [];

    /// <summary>
    /// Environment variables of .NET servers. A short form has few warm-up rounds: without profiles the runtime compiles each
    /// method once less.
    /// </summary>
    public IReadOnlyDictionary<string, string> Environment { get; } =
        options.Short ? new Dictionary<string, string> { ["DOTNET_TieredPGO"] = "0" } : new Dictionary<string, string>();

    /// <param name="assembly">Another server of the same proto; null: DBOS.</param>
    public Task<DbosServer> OnRedis(RedisServer redis, string? assembly = null) => Start(Patient.To(redis.Address), assembly);

    /// <inheritdoc cref="OnRedis"/>
    public Task<DbosServer> Embedded(string? assembly = null) => Start("embedded", assembly);

    public async Task<RedisServer> Redis(params string[] options) => Add(await RedisServer.Start(options));

    /// <param name="server">Is disposed with the others, where it is not null.</param>
    public T Add<T>(T server)
    {
        if (server is not null)
        {
            started.Push(server);
        }

        return server;
    }

    public async ValueTask DisposeAsync()
    {
        while (started.TryPop(out var server))
        {
            if (server is IAsyncDisposable asynchronous)
            {
                await asynchronous.DisposeAsync();
            }
            else
            {
                ((IDisposable)server).Dispose();
            }
        }
    }

    private async Task<DbosServer> Start(string redisAddress, string? assembly)
    {
        var folder = Add(new TemporaryFolder());
        var settings = new Dictionary<string, string>(Environment) { ["REDIS_ADDR"] = redisAddress, ["DATA_DIR"] = folder.Path };
        return Add(await DbosServer.Start(settings, assembly));
    }
}
