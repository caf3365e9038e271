using System.Diagnostics.Metrics;
using Dbos.Application;
using Dbos.Application.Agents;
using Dbos.Application.Tasks;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Store;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dbos.Infrastructure.Watching;

/// <summary>
/// Tells as metrics what the store itself counts, which is the same from every replica. It is asked every few seconds, whoever
/// reads the metrics how often; while it is away nothing is told rather than what was true before.
/// </summary>
public sealed partial class StoreGauges : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan UntilItIsBack = TimeSpan.FromSeconds(1);

    private readonly Meter meter = new("Dbos.Infrastructure");
    private readonly IStoreProbe store;
    private readonly IEventStreams streams;
    private readonly ITaskRepository tasks;
    private readonly IAgentRepository agents;
    private readonly Heartbeats heartbeats;
    private readonly ILogger<StoreGauges> logger;
    private volatile StoreCensus? latest;

    public StoreGauges(
        IStoreProbe store, IEventStreams streams, ITaskRepository tasks, IAgentRepository agents, Heartbeats heartbeats, ILogger<StoreGauges> logger)
    {
        this.store = store;
        this.streams = streams;
        this.tasks = tasks;
        this.agents = agents;
        this.heartbeats = heartbeats;
        this.logger = logger;
        meter.CreateObservableGauge(
            "dbos.store.up",
            () => heartbeats.IsBeating ? 1 : 0,
            unit: null,
            "1 while writes to the store succeed, in a part of it at least, as the probe of the last second tells; else 0.");
        meter.CreateObservableGauge<int>(
            "dbos.store.partitions.away",
            () => heartbeats.PartitionsAway is { } away ? [new(away)] : [],
            "{partition}",
            "Partitions in which it did not, as those of a dead shard; absent while the whole store is away.");
        meter.CreateObservableGauge(
            "dbos.queue.depth", () => Told(Depth), "{task}", "Tasks, by status.");
        meter.CreateObservableGauge(
            "dbos.queue.oldest_pending.age",
            () => Told<double>(census => [new(census.Queue.OldestPendingAge.TotalSeconds)]),
            "s",
            "How long the oldest due task has been waiting; 0: none is due.");
        meter.CreateObservableCounter(
            "dbos.task.events", () => Told(TaskEvents), "{event}", "What became of tasks since the store was first used.");
        meter.CreateObservableGauge(
            "dbos.agents", () => Told(Agents), "{agent}", "Agents, alive or not.");
        meter.CreateObservableGauge(
            "dbos.event_log.length", () => Told(EventLogs), "{event}", "Events that are kept, by log.");
        meter.CreateObservableGauge(
            "dbos.store.size",
            () => Told<long>(census => [new(census.Bytes)]),
            "By",
            "What the store takes up: memory of Redis, or the embedded store's file.");
    }

    public override void Dispose()
    {
        meter.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            latest = heartbeats.IsBeating ? await Ask(stoppingToken) : null;
            await Task.Delay(latest is null ? UntilItIsBack : Period, stoppingToken);
        }
    }

    private async Task<StoreCensus?> Ask(CancellationToken stopping)
    {
        try
        {
            return await StoreCensus.Take(store, streams, tasks, agents, stopping);
        }
        catch (Exception outage) when (outage is StoreUnavailableException or StoreBusyException)
        {
            // The outage is told where it is noticed.
            return null;
        }
#pragma warning disable CA1031 // A fault must not end the telling for good: it is logged, and the next period tries again.
        catch (Exception fault) when (!stopping.IsCancellationRequested)
        {
            LogFault(fault);
            return null;
        }
#pragma warning restore CA1031
    }

    private IEnumerable<Measurement<T>> Told<T>(Func<StoreCensus, IEnumerable<Measurement<T>>> tell)
        where T : struct =>
        latest is { } census && heartbeats.IsBeating ? tell(census) : [];

    private static IEnumerable<Measurement<long>> Depth(StoreCensus census) =>
        from status in census.Queue.Tasks select Tagged(status.Value, "dbos.task.status", status.Key.Word());

    private static IEnumerable<Measurement<long>> TaskEvents(StoreCensus census) =>
        from total in census.Queue.Totals select Tagged(total.Value, "dbos.task.event", total.Key);

    private static IEnumerable<Measurement<long>> Agents(StoreCensus census) =>
    [
        Tagged(census.Agents.Alive, "dbos.agent.state", "alive"),
        Tagged(Math.Max(0, census.Agents.Known - census.Agents.Alive), "dbos.agent.state", "lost"),
    ];

    private static IEnumerable<Measurement<long>> EventLogs(StoreCensus census) =>
        from log in census.Events select Tagged(log.Value, "dbos.event_log", Names.Events(log.Key));

    private static Measurement<long> Tagged(long value, string tag, string word) => new(value, new KeyValuePair<string, object?>(tag, word));

    [LoggerMessage(LogLevel.Error, "The store could not be counted for the metrics")]
    private partial void LogFault(Exception fault);
}
