using System.Diagnostics;
using Dbos.Testing;
using Dbos.Wire;
using Task = System.Threading.Tasks.Task;

namespace Dbos.Benchmarks.Network;

/// <summary>
/// The processor time of DBOS and Redis together under the load of a whole network. The client runs on the same machine and
/// is not counted.
/// </summary>
internal static class NetworkLoad
{
    private const int AgentCount = 10_000;
    private const int SecondsBetweenHeartbeats = 5;
    private const int RequestsPerSecond = 200;
    private const int HeartbeatsPerSecond = AgentCount / SecondsBetweenHeartbeats;
    private const int UnchangedHeartbeats = 2 * AgentCount;
    private const int UnchangedInFlight = 64;

    /// <summary>Below this share of the intended calls the load was not the intended one.</summary>
    private const double SufficientShare = 0.98;

    /// <summary>Every agent is registered and has sent a second heartbeat; the code is compiled.</summary>
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(2 * SecondsBetweenHeartbeats);

    public static async Task<Figures> Run(Options options, Report report)
    {
        await using var servers = new Servers(options);
        var redis = await servers.Redis();
        var server = await servers.OnRedis(redis);
        var agents = new Agents(AgentCount);
        report.Say($"{AgentCount:N0} agents with a heartbeat each {SecondsBetweenHeartbeats} s, which carries 3 KiB of configuration of which one key changes each time; {RequestsPerSecond} requests a second, each of ScheduleTask, two SetModuleState, StoreResult and AckTask, taken by ListDueTasks. {options.Seconds} s after {WarmUp.TotalSeconds} s of warm-up.");

        var failures = new Failures();
        var load = await UnderLoad(server, redis, agents, failures, TimeSpan.FromSeconds(options.Seconds));
        var unchanged = await Unchanged(server, redis, agents);

        var table = new Table("per second", "intended", "done");
        table.Add("heartbeats answered", $"{HeartbeatsPerSecond}", $"{load.Heartbeats:F0}");
        table.Add("requests completed", $"{RequestsPerSecond}", $"{load.Requests:F0}");
        report.Print(table);
        var costs = new Table("percent of one core", "");
        costs.Add("DBOS", $"{load.DbosPercent:F1}");
        costs.Add("Redis", $"{load.RedisPercent:F1}");
        report.Print(costs);
        var latencies = new Table("AckTask", "ms");
        latencies.Add("p50", $"{Round.Percentile(load.Acknowledgements, 50):F2}");
        latencies.Add("p99", $"{Round.Percentile(load.Acknowledgements, 99):F2}");
        report.Print(latencies);

        var isWhole = failures.Count == 0 && load.Heartbeats >= SufficientShare * HeartbeatsPerSecond && load.Requests >= SufficientShare * RequestsPerSecond;
        if (!isWhole)
        {
            report.Say($"The intended load was not reached ({failures.Count} failed calls), so its processor time says nothing.{failures.First}");
        }

        return new Figures(
        [
            Target.AtMost("processor time of DBOS and Redis, percent of one core", isWhole ? load.DbosPercent + load.RedisPercent : null, 40),
            Target.AtMost("Redis µs of a heartbeat that changes nothing", unchanged, 12),
        ]);
    }

    private static async Task<Measured> UnderLoad(DbosServer server, RedisServer redis, Agents agents, Failures failures, TimeSpan measured)
    {
        var clients = Enumerable.Range(0, 4).Select(_ => server.Connect()).ToArray();
        var requests = new Requests(clients[0], AgentCount, failures);
        var beats = 0;
        using var noMoreRequests = new CancellationTokenSource();
        using var noMoreTakes = new CancellationTokenSource();
        var heartbeats = Task.Run(() => Pace.Keep(HeartbeatsPerSecond, Beat, noMoreRequests.Token));
        var schedules = Task.Run(() => Pace.Keep(RequestsPerSecond, requests.Schedule, noMoreRequests.Token));
        var takes = Task.Run(() => requests.Process(noMoreTakes.Token));

        await Task.WhenAny(Task.Delay(WarmUp), heartbeats, schedules, takes);
        requests.Acknowledgements.Clear();
        var (dbosBefore, redisBefore, beatsBefore) = (ProcessorClock.Of(server.Process.Id), ProcessorClock.Of(redis.Process.Id), Volatile.Read(ref beats));
        var watch = Stopwatch.StartNew();
        await Task.WhenAny(Task.Delay(measured), heartbeats, schedules, takes);
        var seconds = watch.Elapsed.TotalSeconds;
        var acknowledgements = requests.Acknowledgements.ToArray();
        var result = new Measured(
            Percent(ProcessorClock.Of(server.Process.Id) - dbosBefore),
            Percent(ProcessorClock.Of(redis.Process.Id) - redisBefore),
            (Volatile.Read(ref beats) - beatsBefore) / seconds,
            acknowledgements.Length / seconds,
            acknowledgements);

        await noMoreRequests.CancelAsync();
        await Task.WhenAll(heartbeats, schedules);
        await noMoreTakes.CancelAsync();
        await takes;
        return result;

        async Task Beat(int number)
        {
            if (await failures.Catch(() => agents.BeatWithTimestamp(clients[1 + (number % (clients.Length - 1))], number)))
            {
                Interlocked.Increment(ref beats);
            }
        }

        double Percent(TimeSpan spent) => 100 * spent.TotalSeconds / seconds;
    }

    private static async Task<double> Unchanged(DbosServer server, RedisServer redis, Agents agents)
    {
        // Every agent is registered with this configuration, whatever the load before has reached.
        await Beat(AgentCount);
        var before = ProcessorClock.Of(redis.Process.Id);
        await Beat(UnchangedHeartbeats);
        return (ProcessorClock.Of(redis.Process.Id) - before).TotalMicroseconds / UnchangedHeartbeats;

        Task Beat(int heartbeats) =>
            Round.Of(heartbeats, UnchangedInFlight, server.Process.Id, (_, i) => agents.Beat(server.Client, i));
    }

    /// <param name="Heartbeats">Answered per second.</param>
    /// <param name="Requests">Completed per second.</param>
    /// <param name="Acknowledgements">Milliseconds of each AckTask.</param>
    private sealed record Measured(double DbosPercent, double RedisPercent, double Heartbeats, double Requests, double[] Acknowledgements);
}
