using System.Net;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis.Connection;

/// <summary>
/// Who is the primary, as most of the Sentinels say. The client library can follow them too, but it connects to all the
/// servers: a primary that died and is back believes to be one until it is told otherwise, and it would be written to.
/// </summary>
internal sealed partial class Sentinels : IAsyncDisposable
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(500);

    private readonly PeriodicTimer timer = new(BetweenLooks);
    private readonly ConfigurationOptions options;
    private readonly ConnectionMultiplexer connection;
    private readonly Func<ConfigurationOptions, Task> use;
    private readonly ILogger logger;
    private EndPoint? followed;
    private Task following = Task.CompletedTask;

    private Sentinels(ConfigurationOptions options, ConnectionMultiplexer connection, Func<ConfigurationOptions, Task> use, ILogger logger) =>
        (this.options, this.connection, this.use, this.logger) = (options, connection, use, logger);

    /// <param name="use">Told the way to the primary, at first and whenever it is another one.</param>
    public static async Task<Sentinels> Follow(ConfigurationOptions options, Func<ConfigurationOptions, Task> use, ILogger logger)
    {
        var sentinels = new Sentinels(options, await ConnectionMultiplexer.SentinelConnectAsync(options.Clone()), use, logger);
        await sentinels.Look();
        sentinels.following = sentinels.Follow();
        return sentinels;
    }

    public async ValueTask DisposeAsync()
    {
        timer.Dispose();
        await following;
        await connection.DisposeAsync();
    }

    /// <summary>For as long as the process runs: whatever stands in the way of one look, the next may succeed.</summary>
    private async Task Follow()
    {
        var isFailing = false;
        while (await timer.WaitForNextTickAsync())
        {
            try
            {
                await Look();
                isFailing = false;
            }
            catch (Exception fault)
            {
                if (!isFailing)
                {
                    LogFailing(fault);
                }

                isFailing = true;
            }
        }
    }

    private async Task Look()
    {
        if (await Primary() is { } primary && !primary.Equals(followed))
        {
            await use(To(primary));
            followed = primary;
        }
    }

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

    [LoggerMessage(LogLevel.Error, "The primary that the Sentinels name could not be followed; DBOS keeps trying")]
    private partial void LogFailing(Exception fault);
}
