using Dbos.Application;
using Dbos.Domain;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dbos.Infrastructure.Store;

/// <summary>
/// Opens the store when DBOS starts; from then on it asks the one thing that an idle store is asked, once a second: the
/// answer keeps the clock, tells of health and of deadlines, lets calls through again after an outage, of which it tells
/// the start and the end, and sees what becomes due before it is.
/// </summary>
public sealed partial class StoreUpkeep(
    IStoreProbe store,
    IStoreConnection connection,
    IStoreWatcher watcher,
    Heartbeats heartbeats,
    TimeProvider clock,
    IHostApplicationLifetime lifetime,
    ILogger<StoreUpkeep> logger) : BackgroundService
{
    private static readonly TimeSpan BetweenProbes = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan BetweenTrials = TimeSpan.FromMilliseconds(500);

    /// <summary>The client library of Redis tells its whole state with an error.</summary>
    private const int LongestReason = 200;

    /// <summary>Should what was told ever be lost, those who wait for it are late by this many seconds and no more.</summary>
    private const int ProbesBetweenLooksBack = 5;

    /// <summary>Unix milliseconds; turns up to here were told. Null: nobody has been told of any yet.</summary>
    private long? toldUpTo;
    private int probes;
    private Away away;

    /// <summary>What became due meanwhile in partitions that are back was not told yet.</summary>
    private bool mayLag;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            store.Tell(watcher);
            using var timer = new PeriodicTimer(BetweenProbes);
            do
            {
                while (!connection.IsOpen && !await Opens(stoppingToken))
                {
                    await Task.Delay(BetweenTrials, clock, stoppingToken);
                }

                await Probe(stoppingToken);
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (LayoutMismatchException mismatch)
        {
            LogCannotServe(mismatch.Message);
            Environment.ExitCode = 1;
            lifetime.StopApplication();
        }
    }

    private async Task<bool> Opens(CancellationToken stopping)
    {
        try
        {
            await connection.Open(stopping);
            return true;
        }
        catch (StoreUnavailableException outage)
        {
            Tell(Away.Whole, outage);
            return false;
        }
    }

    private async Task Probe(CancellationToken stopping)
    {
        try
        {
            // Those told before are told again as long as they are not due. After an outage, or a late probe, those
            // that came meanwhile are told too.
            var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
            var looksBack = mayLag || (++probes % ProbesBetweenLooksBack == 0 && watcher.IsWaitedOn);
            var watch = new Watch(
                Heartbeats.Deadlines,
                From: looksBack ? 0 : Math.Min(now, toldUpTo ?? now),
                UpTo: now + (long)Turn.Horizon.TotalMilliseconds);
            var pulse = await store.Probe(watch, stopping);
            toldUpTo = watch.UpTo;
            heartbeats.Hear(pulse);
            mayLag = away == Away.Part && pulse.Away is null;
            Tell(pulse.Away is null ? Away.Nothing : Away.Part, pulse.Away?.Why);
            if (pulse.MayHaveMissed)
            {
                // Not before the store is open for those who look then.
                watcher.Missed();
            }

            foreach (var turn in pulse.Turns)
            {
                watcher.Due(turn);
            }

            if (pulse.CutAt is { } cut)
            {
                // Whoever waits looks then, or now, for what was not told of what is due by then; what comes later is told by the next probe.
                watcher.Due(new Turn(string.Empty, cut));
                toldUpTo = Math.Max(now, cut);
            }
        }
        catch (StoreUnavailableException outage)
        {
            // Connected, but it hangs or takes no writes. The clock is carried on without it.
            heartbeats.Hear(null);
            Tell(Away.Whole, outage);
        }
#pragma warning disable CA1031 // A fault must not end the upkeep for good: it is told, and the next period tries again.
        catch (Exception fault) when (fault is not LayoutMismatchException && !stopping.IsCancellationRequested)
        {
            heartbeats.Hear(null);
            LogFault(fault);
        }
#pragma warning restore CA1031
    }

    /// <summary>Tells of an outage, once until it is over or another.</summary>
    private void Tell(Away seen, StoreUnavailableException? outage)
    {
        if (seen == away)
        {
            return;
        }

        away = seen;
        var why = (outage?.InnerException ?? outage)?.Message.CutShort(LongestReason) ?? string.Empty;
        switch (seen)
        {
            case Away.Nothing:
                LogBack(connection.Name);
                break;
            case Away.Part:
                LogPartAway(connection.Name, why);
                break;
            case Away.Whole:
                LogAway(connection.Name, why);
                break;
        }
    }

    [LoggerMessage(LogLevel.Warning, "{Store} is away, or takes no writes ({Why}): calls are answered UNAVAILABLE, and DBOS keeps trying")]
    private partial void LogAway(string store, string why);

    [LoggerMessage(LogLevel.Warning, "{Store} is away in part, or takes no writes there ({Why}): calls for what it keeps there are answered UNAVAILABLE, and DBOS keeps trying")]
    private partial void LogPartAway(string store, string why);

    [LoggerMessage(LogLevel.Information, "{Store} is back: a write succeeded")]
    private partial void LogBack(string store);

    [LoggerMessage(LogLevel.Critical, "{Sentence}")]
    private partial void LogCannotServe(string sentence);

    [LoggerMessage(LogLevel.Error, "The store could not be probed")]
    private partial void LogFault(Exception fault);

    private enum Away
    {
        Nothing,
        Part,
        Whole,
    }
}

/// <summary>The way to the store.</summary>
public interface IStoreConnection
{
    /// <summary>What and where it is, as logs tell it.</summary>
    string Name { get; }

    /// <summary>Calls are let through.</summary>
    bool IsOpen { get; }

    /// <summary>Tries once to connect, and lets calls through once the store is known to be laid out as configured.</summary>
    /// <exception cref="LayoutMismatchException">It is not.</exception>
    /// <exception cref="StoreUnavailableException">It is away; it may be tried again.</exception>
    Task Open(CancellationToken cancellation);
}
