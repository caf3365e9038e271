using System.Globalization;

namespace Dbos.Testing;

/// <summary>A primary, two replicas and three Sentinels of a test's own, on loopback.</summary>
public sealed class RedisSentinels : IAsyncDisposable
{
    private const string Name = "dbos";
    private const int Count = 3;
    private const int Replicas = 2;
    private const int Quorum = 2;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly RedisReplicas redis;
    private readonly IReadOnlyList<RedisServer> sentinels;

    private RedisSentinels(RedisReplicas redis, IReadOnlyList<RedisServer> sentinels) => (this.redis, this.sentinels) = (redis, sentinels);

    /// <summary>As a client is told of them.</summary>
    public string Address => $"{string.Join(',', sentinels.Select(sentinel => sentinel.Address))},serviceName={Name}";

    /// <param name="downAfter">Silence after which the primary is failed over.</param>
    public static async Task<RedisSentinels> Start(TimeSpan downAfter)
    {
        var all = new RedisSentinels(
            await RedisReplicas.Start(Replicas),
            await Task.WhenAll(Enumerable.Range(0, Count).Select(_ => RedisServer.Start("--sentinel"))));
        foreach (var sentinel in all.sentinels)
        {
            await sentinel.Order("sentinel", "monitor", Name, "127.0.0.1", Text(all.redis.Primary.Port), Text(Quorum));
        }

        await all.FailOverAfter(downAfter);
        await Eventually.True(all.KnowEachOther, Patience, "the Sentinels know each other and both replicas");
        return all;
    }

    /// <param name="downAfter">Silence after which the primary is failed over.</param>
    public async Task FailOverAfter(TimeSpan downAfter)
    {
        foreach (var sentinel in sentinels)
        {
            await sentinel.Order(
                "sentinel", "set", Name,
                "down-after-milliseconds", Text((int)downAfter.TotalMilliseconds),
                "failover-timeout", Text((int)(3 * downAfter.TotalMilliseconds)));
        }
    }

    /// <summary>As the Sentinels that answer say.</summary>
    public async Task<RedisServer> Primary()
    {
        var told = await sentinels.First(sentinel => sentinel.IsAnswering).Ask("sentinel", "get-master-addr-by-name", Name);
        var port = int.Parse(told.Split('\n')[1], CultureInfo.InvariantCulture);
        return redis.Replicas.Prepend(redis.Primary).Single(server => server.Port == port);
    }

    public async Task StopSentinels()
    {
        foreach (var sentinel in sentinels)
        {
            await sentinel.Stop();
        }
    }

    public async Task StartSentinels()
    {
        foreach (var sentinel in sentinels)
        {
            await sentinel.Start();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var sentinel in sentinels)
        {
            await sentinel.DisposeAsync();
        }

        await redis.DisposeAsync();
    }

    private async Task<bool> KnowEachOther()
    {
        var told = await Task.WhenAll(sentinels.Select(sentinel => sentinel.Ask("sentinel", "master", Name)));
        return told.All(about => ValueOf(about, "num-slaves") == Replicas && ValueOf(about, "num-other-sentinels") == Count - 1);
    }

    /// <summary>A name is a line, its value the next.</summary>
    private static int ValueOf(string told, string name)
    {
        var lines = told.Split('\n');
        return int.Parse(lines[Array.IndexOf(lines, name) + 1], CultureInfo.InvariantCulture);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
