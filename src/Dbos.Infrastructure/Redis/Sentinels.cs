using System.Net;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis;

/// <summary>
/// Who is the primary, as most of the Sentinels say. The client library can follow them too, but it connects to all the
/// servers: a primary that died and is back believes to be one until it is told otherwise, and it would be written to.
/// </summary>
internal sealed class Sentinels : IAsyncDisposable
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(500);

    private readonly ConfigurationOptions options;
    private readonly ConnectionMultiplexer connection;

    private Sentinels(ConfigurationOptions options, ConnectionMultiplexer connection) => (this.options, this.connection) = (options, connection);

    public static async Task<Sentinels> Connect(ConfigurationOptions options) =>
        new(options, await ConnectionMultiplexer.SentinelConnectAsync(options.Clone()));

    /// <summary>Tells the way to the primary, at first and whenever it is another one.</summary>
    public async Task Follow(Func<ConfigurationOptions, Task> use, CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(BetweenLooks);
        EndPoint? followed = null;
        do
        {
            if (await Primary() is { } primary && !primary.Equals(followed))
            {
                followed = primary;
                await use(To(primary));
            }
        }
        while (await timer.WaitForNextTickAsync(cancellation));
    }

    public ValueTask DisposeAsync() => connection.DisposeAsync();

    private ConfigurationOptions To(EndPoint primary)
    {
        var direct = options.Clone();
        direct.ServiceName = null;
        direct.EndPoints.Clear();
        direct.EndPoints.Add(primary);
        return direct;
    }

    /// <summary>Null: no more than half of them say the same.</summary>
    private async Task<EndPoint?> Primary()
    {
        var sentinels = connection.GetServers();
        var named = (await Task.WhenAll(sentinels.Select(PrimaryBy))).OfType<EndPoint>();
        return named.GroupBy(primary => primary).FirstOrDefault(same => same.Count() > sentinels.Length / 2)?.Key;
    }

    private async Task<EndPoint?> PrimaryBy(IServer sentinel)
    {
        try
        {
            return await sentinel.SentinelGetMasterAddressByNameAsync(options.ServiceName!);
        }
        catch (Exception error) when (error is RedisException or TimeoutException)
        {
            return null;
        }
    }
}
