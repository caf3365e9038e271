using Dbos.Application;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dbos.Infrastructure.Redis;

/// <summary>Opens the connection when DBOS starts, and keeps the clock by Redis's from then on.</summary>
public sealed partial class RedisUpkeep(
    RedisConnection connection, RedisStore store, IHostApplicationLifetime lifetime, ILogger<RedisUpkeep> logger) : BackgroundService
{
    private static readonly TimeSpan BetweenProbes = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await connection.Open(stoppingToken);
        }
        catch (LayoutMismatchException mismatch)
        {
            LogCannotServe(mismatch.Message);
            Environment.ExitCode = 1;
            lifetime.StopApplication();
            return;
        }

        using var timer = new PeriodicTimer(BetweenProbes);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await store.Probe(stoppingToken);
            }
            catch (StoreUnavailableException)
            {
                // The connection tells of an outage; the clock is carried on without Redis.
            }
        }
    }

    [LoggerMessage(LogLevel.Critical, "{Sentence}")]
    private partial void LogCannotServe(string sentence);
}
