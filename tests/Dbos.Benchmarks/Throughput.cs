using System.Globalization;
using Dbos.Testing;
using Dbos.Wire;
using Google.Protobuf;
using Grpc.Net.Client;
using Task = System.Threading.Tasks.Task;

namespace Dbos.Benchmarks;

/// <summary>
/// Writes a second through DBOS beside the bare server, on one Redis, in turns. What counts is the ratio of
/// two rounds that follow each other: the machine's noise is in both.
/// </summary>
internal static class Throughput
{
    private const int InFlight = 128;
    private const int Channels = 4;
    private const int CallsInRound = 8_000;
    private const int WarmUpRounds = 15;
    private const int Rounds = 25;

    private static readonly ByteString Data = ByteString.CopyFromUtf8(
        """{"target":"192.0.2.17","sent":10,"received":10,"rtt_ms":[12.1,12.4,11.9,12.0,12.6,12.2,12.3,12.1,12.0,12.5],"loss":0.0}""");

    private static readonly (string Name, double Target, Func<DBOS.DBOSClient, string, Task> Call)[] Writes =
    [
        ("StoreResult", 0.80, StoreResult),
        ("ScheduleTask", 0.80, ScheduleTask),
        ("SetModuleState", 0.60, SetModuleState),
    ];

    public static async Task<bool> Run()
    {
        await using var redis = await RedisServer.Start();
        await using var dbos = await DbosServer.Start(new Dictionary<string, string> { ["REDIS_ADDR"] = redis.Address });
        var barePort = FreePort.Find();
        await using var bare = ChildProcess.Start(
            "dotnet",
            [typeof(Throughput).Assembly.Location, "--bare", barePort.ToString(CultureInfo.InvariantCulture), redis.Address]);

        var dbosClients = Connect(dbos.Port);
        var bareClients = Connect(barePort);
        await Eventually.True(() => Answers(bareClients[0]), TimeSpan.FromSeconds(20), "the bare server answers");

        Console.WriteLine($"Writes, {InFlight} in flight, unique ids, tracing off; medians of {Rounds} rounds of {CallsInRound} calls each, in turns");
        Console.WriteLine("                      calls/s     p50 ms   p99 ms  server µs/call   ratio   target");
        var met = true;
        foreach (var (name, target, call) in Writes)
        {
            var pairs = new List<(Round Dbos, Round Bare)>();
            for (var i = 0; i < WarmUpRounds + Rounds; i++)
            {
                var measured = (await RoundOf(dbosClients, dbos.Process.Id, call), await RoundOf(bareClients, bare.Id, call));
                if (i >= WarmUpRounds)
                {
                    pairs.Add(measured);
                }
            }

            var ratio = Round.Median(pairs.Select(pair => pair.Dbos.PerSecond / pair.Bare.PerSecond));
            met &= ratio >= target;
            Print($"{name} DBOS", pairs.Select(pair => pair.Dbos), string.Create(CultureInfo.InvariantCulture, $"{ratio,8:F2} {target,8:F2}"));
            Print($"{name} bare", pairs.Select(pair => pair.Bare), string.Empty);
        }

        return met;
    }

    private static DBOS.DBOSClient[] Connect(int port) =>
        [.. Enumerable.Range(0, Channels).Select(_ => new DBOS.DBOSClient(GrpcChannel.ForAddress($"http://127.0.0.1:{port}")))];

    private static Task<Round> RoundOf(DBOS.DBOSClient[] clients, int server, Func<DBOS.DBOSClient, string, Task> call)
    {
        var run = Guid.NewGuid().ToString("N");
        return Round.Of(CallsInRound, InFlight, server, (worker, i) => call(clients[worker % Channels], $"{run}-{i}"));
    }

    private static async Task<bool> Answers(DBOS.DBOSClient client)
    {
        try
        {
            await ScheduleTask(client, "first");
            return true;
        }
        catch (Grpc.Core.RpcException)
        {
            return false;
        }
    }

    private static async Task StoreResult(DBOS.DBOSClient client, string id)
    {
        var answer = await client.StoreResultAsync(new StoreResultRequest
        {
            Result = new MeasurementResult { Id = id, AgentId = $"agent-{id[^2..]}", ModuleName = "unknown", Data = Data, Timestamp = 1_700_000_000 },
        });
        Demand(answer.Success && !answer.Duplicate, answer.Error);
    }

    private static async Task ScheduleTask(DBOS.DBOSClient client, string id)
    {
        var answer = await client.ScheduleTaskAsync(new ScheduleTaskRequest
        {
            Task = new Wire.Task { Id = id, AgentId = "agent-1", ModuleName = "ping", Payload = Data, ScheduledAt = 1_700_000_000 },
        });
        Demand(answer.Success && !answer.Duplicate, answer.Error);
    }

    private static async Task SetModuleState(DBOS.DBOSClient client, string id)
    {
        var answer = await client.SetModuleStateAsync(new SetModuleStateRequest
        {
            State = new ModuleState { RequestId = id, AgentId = "agent-1", ModuleName = "ping", State = "running", Timestamp = 1_700_000_000 },
        });
        Demand(answer is { Success: true, Version: 1 }, answer.Error);
    }

    private static void Demand(bool asExpected, string error)
    {
        if (!asExpected)
        {
            throw new InvalidOperationException($"a call was not answered as a new write: {error}");
        }
    }

    private static void Print(string name, IEnumerable<Round> rounds, string ratio)
    {
        var all = rounds.ToArray();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{name,-20} {Round.Median(all.Select(round => round.PerSecond)),8:F0} {Round.Median(all.Select(round => round.MedianMs)),10:F1} {Round.Median(all.Select(round => round.P99Ms)),8:F1} {Round.Median(all.Select(round => round.ServerMicroseconds)),15:F0}{ratio}"));
    }
}
