using System.Diagnostics;
using Grpc.Core;

namespace Dbos.Soak.Overload;

/// <summary>
/// Batches of tasks are sent at a rate that does not wait for answers, three times what one DBOS on one Redis was just measured to
/// bear. What is not done must be refused soon, and health must go on telling the truth.
/// </summary>
public static class OverloadRun
{
    private const int Factor = 3;
    private const int Connections = 16;

    /// <summary>Enough to saturate, and fewer than are let in.</summary>
    private const int InFlightAtCapacity = 24;

    /// <summary>
    /// Several times what DBOS lets in. Beyond it this process, which shares the processor, cannot keep up, and would only measure
    /// its own queue: such a call is not sent.
    /// </summary>
    private const int MostUnanswered = 4_000;

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(250);

    /// <param name="capacity">How long it is measured what can be stored.</param>
    /// <param name="length">How long three times as much is sent.</param>
    public static async Task<OverloadReport> Of(TimeSpan capacity, TimeSpan length)
    {
        await using var redis = await RedisServer.Start();
        await using var server = await DbosServer.Start(new Dictionary<string, string> { ["REDIS_ADDR"] = redis.Address });
        var clients = Enumerable.Range(0, Connections).Select(_ => server.Connect()).ToArray();
        var run = Guid.NewGuid().ToString("N");

        await MeasuredRate(clients, $"{run}-warm", capacity / 2);
        var sustained = await MeasuredRate(clients, $"{run}-sustained", capacity);
        var tally = new Tally();
        using var ended = new CancellationTokenSource();
        var watching = Watch(server, tally, ended.Token);
        await Send(clients, $"{run}-over", sustained * Factor, length, tally);
        await ended.CancelAsync();
        await watching;

        var after = await MeasuredRate(clients, $"{run}-after", capacity);
        var lost = (tally.Accepted.Count * Batches.Tasks) - await Batches.CountTasks(server.Client, $"{run}-over");
        return new OverloadReport(sustained, length, after, lost, tally);
    }

    /// <summary>Calls in a second when each caller waits for its answer.</summary>
    private static async Task<double> MeasuredRate(DBOS.DBOSClient[] clients, string agent, TimeSpan length)
    {
        var done = 0;
        var since = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, InFlightAtCapacity).Select(caller => Task.Run(async () =>
        {
            while (since.Elapsed < length)
            {
                await Batches.Schedule(clients[caller % clients.Length], agent, Interlocked.Increment(ref done), default);
            }
        })));
        return done / since.Elapsed.TotalSeconds;
    }

    private static async Task Send(DBOS.DBOSClient[] clients, string agent, double perSecond, TimeSpan length, Tally tally)
    {
        var since = Stopwatch.StartNew();
        var sent = 0;
        var unanswered = new Unanswered();
        using var timer = new PeriodicTimer(Tick);
        while (since.Elapsed < length)
        {
            for (var due = (int)(since.Elapsed.TotalSeconds * perSecond); sent < due; sent++)
            {
                if (unanswered.Count < MostUnanswered)
                {
                    _ = Call(clients[sent % clients.Length], agent, sent, tally, unanswered);
                }
                else
                {
                    tally.Unsent++;
                }
            }

            await timer.WaitForNextTickAsync();
        }

        await Eventually.True(() => Task.FromResult(unanswered.Count == 0), 2 * Deadline, "every call is answered");
    }

    private static async Task Call(DBOS.DBOSClient client, string agent, int number, Tally tally, Unanswered unanswered)
    {
        unanswered.Add(1);
        var since = Stopwatch.GetTimestamp();
        try
        {
            var success = await Batches.Schedule(client, agent, number, new CallOptions(deadline: DateTime.UtcNow + Deadline));
            tally.Answered(Stopwatch.GetElapsedTime(since), success);
        }
        catch (RpcException refused)
        {
            tally.Refused(refused, Stopwatch.GetElapsedTime(since));
        }
        finally
        {
            unanswered.Add(-1);
        }
    }

    /// <summary>Memory and health, as long as it lasts. The store is well all the time, so SERVING is the truth.</summary>
    private static async Task Watch(DbosServer server, Tally tally, CancellationToken ended)
    {
        while (await Pause.For(BetweenLooks, ended))
        {
            using var process = Process.GetProcessById(server.Process.Id);
            tally.Memory.Add(process.WorkingSet64);
            tally.Health.Add(await server.StatusOf("dbos.DBOS"));
        }
    }

    private sealed class Unanswered
    {
        private int count;

        public int Count => Volatile.Read(ref count);

        public void Add(int some) => Interlocked.Add(ref count, some);
    }
}
