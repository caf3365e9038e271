using Dbos.Application;
using Dbos.Infrastructure.Store;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dbos.Infrastructure.Redis;

/// <summary>
/// Opens the connection when DBOS starts; from then on its probes keep the clock by Redis's, and let calls
/// through again when Redis is back.
/// </summary>
public sealed partial class RedisUpkeep(
    RedisConnection connection, IStore store, IHostApplicationLifetime lifetime, ILogger<RedisUpkeep> logger) : BackgroundService
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
                connection.Found();
            }
            catch (StoreUnavailableException outage)
            {
                // Connected, but it hangs or takes no writes. The clock is carried on without Redis.
                connection.Lost(outage.InnerException?.Message ?? outage.Message);
            }
        }
    }

    [LoggerMessage(LogLevel.Critical, "{Sentence}")]
    private partial void LogCannotServe(string sentence);
}
