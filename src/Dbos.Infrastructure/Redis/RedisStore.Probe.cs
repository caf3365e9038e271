using System.Diagnostics;
using System.Runtime.ExceptionServices;
using Dbos.Application;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Store;
using StackExchange.Redis;
using static Dbos.Infrastructure.Redis.RedisAnswers;

namespace Dbos.Infrastructure.Redis;

/// <summary>What Redis is asked once a second, and what it tells of its own accord.</summary>
public sealed partial class RedisStore
{
    private readonly Echo echo = new();

    /// <summary>
    /// The first partition that answered the last probe: with it the next one tells the clock and calls this process. Only the very first
    /// tells the layout too.
    /// </summary>
    private int speaker;

    /// <summary>
    /// In every partition, as each may live on another node: one call where one server has them all. That the store is still
    /// laid out as configured is looked at too: it may have been moved while this DBOS could not be seen to serve it.
    /// </summary>
    public async Task<Pulse> Probe(Watch watch, CancellationToken cancellation)
    {
        var call = echo.Call();
        var all = Enumerable.Range(0, Partitions).Chunk(connection.IsCluster ? 1 : Partitions)
            .Select(partitions => (Partitions: partitions, Answer: Probe(watch, partitions, call, cancellation)))
            .ToArray();
        var (heard, away) = (new List<RedisValue[]>(), new List<int>());
        StoreUnavailableException? outage = null;
        var first = speaker;
        foreach (var (partitions, answer) in all)
        {
            try
            {
                heard.Add(await answer);
                first = heard.Count == 1 ? partitions[0] : first;
            }
            catch (StoreUnavailableException why)
            {
                away.AddRange(partitions);
                outage ??= why;
            }
        }

        if (heard.Count == 0)
        {
            ExceptionDispatchInfo.Throw(outage!);
        }

        speaker = first;

        // Not before: if this process hears the call, it hears all that comes after it, and if not, the next probe knows.
        return PulseOf(heard, watch.Deadlines.Count) with
        {
            MayHaveMissed = echo.HasMissed(),
            Away = outage is null ? null : new(away, outage),
        };
    }

    public void Tell(IStoreWatcher watcher)
    {
        connection.Hear(channels.Due, text => watcher.Due(TurnOf(text)));
        connection.Hear(channels.Ends, text =>
        {
            if (EndOf(text) is { } end)
            {
                watcher.Ended(end.TaskId, end.LeaseToken);
            }
            else
            {
                echo.Hear(text);
            }
        });
        connection.OnBreak(echo.Break);
    }

    private async Task<RedisValue[]> Probe(Watch watch, int[] partitions, long call, CancellationToken cancellation)
    {
        var speaks = partitions[0] == speaker;
        var (names, values) = scripts.Probe(watch, partitions, speaks ? call : null);
        var asked = Stopwatch.GetTimestamp();
        return (RedisValue[])(await Settled(
            partitions[0],
            Script.Probe,
            names,
            values,
            cancellation,
            speaks ? answer => connection.HearLayout((RedisValue[])answer!, asked) : null))!;
    }
}
