using System.Globalization;
using System.Runtime.ExceptionServices;
using Dbos.Application;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Redis.Tasks;
using Dbos.Infrastructure.Store;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis.Layout;

/// <summary>What Redis is asked once a second, and what it publishes of its own accord.</summary>
public sealed class RedisProbe(
    RedisConnection connection, RedisPartitions partitions, Resilience resilience, TaskChannels channels)
    : IStoreProbe
{
    private const string Pending = "tasks:pending";

    private static readonly Script ProbeScript = new("probe");

    private readonly Echo echo = new();

    /// <summary>
    /// The first partition that answered the last probe: with it the next one reads the clock and publishes to this process. Only the very
    /// first answers the layout too.
    /// </summary>
    private int speaker;

    /// <summary>
    /// In every partition, as each may live on another node: one call where one server has them all. That the store is still
    /// laid out as configured is looked at too: it may have been moved while this DBOS could not be seen to serve it.
    /// A success closes the circuits, past which it is sent: a caller that saw SERVING is not refused right after.
    /// </summary>
    public async Task<Pulse> Probe(Watch watch, CancellationToken cancellation)
    {
        var call = echo.Call();
        var all = partitions.All.Chunk(connection.IsCluster ? 1 : partitions.Count)
            .Select(some => (Partitions: some, Answer: Probe(watch, some, call, cancellation)))
            .ToArray();
        var (answers, away) = (new List<RedisValue[]>(), new List<int>());
        StoreUnavailableException? outage = null;
        var first = speaker;
        foreach (var (some, answer) in all)
        {
            try
            {
                answers.Add(await answer);
                first = answers.Count == 1 ? some[0] : first;
            }
            catch (StoreUnavailableException why)
            {
                if (RedisErrors.IsMissingRight(why))
                {
                    connection.Close();
                }

                away.AddRange(some);
                outage ??= why;
            }
        }

        if (answers.Count == 0)
        {
            ExceptionDispatchInfo.Throw(outage!);
        }

        speaker = first;
        await resilience.CloseCircuits(away);

        // Not before: if this process receives the call, it receives all that comes after it, and if not, the next probe knows.
        return PulseOf(answers, watch.Deadlines.Count) with
        {
            MayHaveMissed = echo.HasMissed(),
            Away = outage is null ? null : new(away, outage),
        };
    }

    /// <summary>The memory of all primaries, whoever else's data is in it.</summary>
    public async Task<long> Bytes(CancellationToken cancellation)
    {
        var infos = await connection.Ask(
            static (redis, _) => Task.WhenAll(
                from server in redis.Multiplexer.GetServers()
                where server is { IsConnected: true, IsReplica: false }
                select server.InfoAsync("memory")),
            true,
            cancellation);
        return infos.Sum(info => long.Parse(
            info.SelectMany(section => section).Single(entry => entry.Key == "used_memory").Value, CultureInfo.InvariantCulture));
    }

    public void Tell(IStoreWatcher watcher)
    {
        connection.Hear(channels.Due, text =>
        {
            var (due, queue) = Numbered(text);
            watcher.Due(new Turn(queue, due));
        });
        connection.Hear(channels.Ends, text =>
        {
            if (text.Contains(' ', StringComparison.Ordinal))
            {
                var (token, taskId) = Numbered(text);
                watcher.Ended(taskId, token);
            }
            else
            {
                echo.Hear(text);
            }
        });
        connection.OnBreak(echo.Break);
    }

    private async Task<RedisValue[]> Probe(Watch watch, int[] some, long call, CancellationToken cancellation)
    {
        var speaks = some[0] == speaker;
        RedisKey[] names =
        [
            connection.Keys.Of(some[0], RedisKeys.Layout),
            .. from partition in some
               from name in (IEnumerable<string>)[RedisKeys.Probe, Pending, .. watch.Deadlines]
               select connection.Keys.Of(partition, name),
            connection.Keys.Of(some[0], RedisKeys.Absent),
        ];
        RedisValue[] values =
        [
            some.Length, watch.Deadlines.Count, watch.From, watch.UpTo, watch.MostOfABand, Bands.Count, Bands.Width, channels.Ends,
            speaks ? call : RedisValue.EmptyString,
        ];
        return (RedisValue[])(await partitions.RunOnce(
            ProbeScript,
            some[0],
            names,
            values,
            speaks ? answer => connection.CheckAnswer((RedisValue[])answer!) : null,
            cancellation))!;
    }

    /// <param name="answers">Of probe.lua, of some partitions each.</param>
    private static Pulse PulseOf(List<RedisValue[]> answers, int deadlines)
    {
        const int Cut = 5;
        const int Deadlines = Cut + 1;
        return new Pulse(
            [
                .. Enumerable.Range(Deadlines, deadlines).Select(i => answers
                    .Where(answer => !answer[i].IsNullOrEmpty)
                    .Min(answer => (long?)answer[i])),
            ],
            [
                .. answers.SelectMany(answer => answer[(Deadlines + deadlines)..].Chunk(2)).Select(task =>
                    new Turn(QueueOf((string)task[0]!), Bands.DueOf((long)task[1]))),
            ])
        {
            CutAt = answers.Where(answer => !answer[Cut].IsNullOrEmpty).Min(answer => (long?)answer[Cut]),
        };
    }

    /// <summary>The queue of a member of tasks:pending, which is "agent:module:id".</summary>
    private static string QueueOf(string member) => member[..member.IndexOf(':', member.IndexOf(':', StringComparison.Ordinal) + 1)];

    private static (long Number, string Name) Numbered(string text)
    {
        var space = text.IndexOf(' ', StringComparison.Ordinal);
        return (long.Parse(text.AsSpan(0, space), CultureInfo.InvariantCulture), text[(space + 1)..]);
    }
}
