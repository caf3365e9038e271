namespace Dbos.Soak;

/// <summary>The DBOS processes on one store, of which now and then one is killed and started again.</summary>
internal sealed class Replicas : IAsyncDisposable
{
    /// <summary>Longer than connections need to notice, shorter than the takers' patience.</summary>
    private static readonly TimeSpan Away = TimeSpan.FromSeconds(1);

    private readonly DbosServer[] servers;

    private Replicas(DbosServer[] servers) => this.servers = servers;

    public int Kills { get; private set; }

    public IReadOnlyList<string> Addresses => [.. servers.Select(server => server.Address)];

    public static async Task<Replicas> Start(int replicas, string redis, string dataDirectory)
    {
        var settings = new Dictionary<string, string>
        {
            ["REDIS_ADDR"] = redis,
            ["DATA_DIR"] = dataDirectory,
            // No kill makes a dead letter, and nothing is purged before it is counted.
            ["MAX_RETRIES"] = "1000",
            ["MAX_EXPIRIES"] = "1000",
            ["COMPLETED_TASK_RETENTION_SECONDS"] = "86400",
        };
        return new Replicas(await Task.WhenAll(Enumerable.Range(0, replicas).Select(_ => DbosServer.Start(settings))));
    }

    public async Task KillAtRandom(TimeSpan between, CancellationToken stop)
    {
        while (await Pause.For(between, stop))
        {
            var server = servers[Random.Shared.Next(servers.Length)];
            await server.Kill();
            Kills++;
            await Pause.For(Away, stop);
            await server.Restart();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in servers)
        {
            await server.DisposeAsync();
        }
    }
}
