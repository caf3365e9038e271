using Dbos.Application.Pipeline;
using Dbos.Domain.Tasks;

namespace Dbos.Application.Tasks;

/// <summary>Returns deliveries that never reached their taker; nothing counts them as failures.</summary>
public sealed class TaskGiveBack(ITaskRepository tasks, TimeProvider clock)
{
    /// <summary>While the store is away it is tried again; in the end the leases expire by themselves.</summary>
    private const int MostTrials = 10;

    private static readonly TimeSpan BetweenTrials = TimeSpan.FromSeconds(1);

    public async Task GiveBack(IReadOnlyList<MeasurementTask> undelivered, Origin origin)
    {
        TaskDelivery[] deliveries = [.. undelivered.Select(task => task.Delivery)];
        for (var trial = 1; ; trial++)
        {
            try
            {
                await tasks.Release(deliveries, origin, CancellationToken.None);
                return;
            }
            catch (Exception outage) when (outage is StoreUnavailableException or StoreBusyException && trial < MostTrials)
            {
                await Task.Delay(BetweenTrials, clock);
            }
        }
    }
}
