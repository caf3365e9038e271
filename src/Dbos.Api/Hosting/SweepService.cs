using Dbos.Application;
using Dbos.Application.Pipeline;

namespace Dbos.Api.Hosting;

/// <summary>Runs every sweep once a second, and again at once while it finds a full batch to do.</summary>
public sealed partial class SweepService(IEnumerable<ISweep> sweeps, ILogger<SweepService> logger) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(sweeps.Select(sweep => Repeat(sweep, stoppingToken)));

    private async Task Repeat(ISweep sweep, CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(Period);
        while (await timer.WaitForNextTickAsync(stopping))
        {
            try
            {
                while (await sweep.Run(stopping) > 0)
                {
                    // There may be more than one batch.
                }
            }
            catch (Exception error) when (error is StoreUnavailableException or StoreBusyException)
            {
                // What is overdue stays so until the store is back; the outage is told where it is noticed.
            }
#pragma warning disable CA1031 // A fault must not end the sweeping for good: it is told, and the next period tries again.
            catch (Exception fault) when (!stopping.IsCancellationRequested)
            {
                using var scope = logger.InTrace(Spans.TraceOf(fault));
                LogFault(sweep.GetType().Name, fault);
            }
#pragma warning restore CA1031
        }
    }

    [LoggerMessage(LogLevel.Error, "{Sweep} failed")]
    private partial void LogFault(string sweep, Exception fault);
}
