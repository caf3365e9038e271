using System.Diagnostics;
using Dbos.Infrastructure.Store;
using StackExchange.Redis;
using static Dbos.Infrastructure.Redis.RedisAnswers;

namespace Dbos.Infrastructure.Redis;

/// <summary>What Redis is asked once a second, and what it tells of its own accord.</summary>
public sealed partial class RedisStore
{
    private readonly Echo echo = new();

    /// <summary>
    /// In every partition, as each may live on another node: one call where one server has them all. That the store is still
    /// laid out as configured is looked at too: it may have been moved while this DBOS could not be seen to serve it.
    /// </summary>
    public async Task<Pulse> Probe(Watch watch, CancellationToken cancellation)
    {
        var call = echo.Call();
        var answers = await Task.WhenAll(Enumerable.Range(0, Partitions)
            .Chunk(connection.IsCluster ? 1 : Partitions)
            .Select(async partitions =>
            {
                var isFirst = partitions[0] == 0;
                var (names, values) = scripts.Probe(watch, partitions, isFirst ? call : null);
                var asked = Stopwatch.GetTimestamp();
                return (RedisValue[])(await Settled(
                    partitions[0],
                    Script.Probe,
                    names,
                    values,
                    cancellation,
                    isFirst ? answer => connection.HearLayout((RedisValue[])answer!, asked) : null))!;
            }));

        // Not before: if this process hears the call, it hears all that comes after it, and if not, the next probe knows.
        return PulseOf(answers, watch.Deadlines.Count) with { MayHaveMissed = echo.HasMissed() };
    }

    public void Tell(IStoreWatcher watcher)
    {
        connection.Hear(scripts.Channels.Turns, text => watcher.Due(TurnOf(text)));
        connection.Hear(scripts.Channels.Ends, text =>
        {
            if (EndOf(text) is { } end)
            {
                watcher.Ended(keys.Read(end.Record)!.Value.Name, end.Delivery);
            }
            else
            {
                echo.Hear(text);
            }
        });
        connection.OnBreak(echo.Break);
    }
}
