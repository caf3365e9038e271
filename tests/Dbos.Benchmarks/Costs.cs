using System.Globalization;
using Dbos.Testing;
using Dbos.Wire;
using Google.Protobuf;
using Task = System.Threading.Tasks.Task;

namespace Dbos.Benchmarks;

/// <summary>
/// What each call costs one Redis: counted and not timed, but for the processor time. From this docs/scale.md is reckoned.
/// </summary>
internal static class Costs
{
    private const int Calls = 4_000;
    private const int InFlight = 64;
    private const int Batch = 100;
    private const int Agents = 100;
    private const int PayloadBytes = 256;

    /// <summary>Agents tell theirs with every heartbeat.</summary>
    private const int ConfigBytes = 3_072;
    private static readonly ByteString Payload = ByteString.CopyFrom(new byte[PayloadBytes]);

    public static async Task<bool> Run()
    {
        await using var redis = await RedisServer.Start();
        await using var server = await DbosServer.Start(new Dictionary<string, string> { ["REDIS_ADDR"] = redis.Address });
        var dbos = server.Client;
        var leases = new List<AckTaskRequest>();

        Console.WriteLine($"What a call costs Redis; {PayloadBytes} bytes of payload, {ConfigBytes} of an agent's configuration, 36 of an id, {Agents} agents, means of {Calls} calls");
        Console.WriteLine("                                     commands   bytes in  bytes out   append-only file   kept bytes   Redis µs   DBOS µs");
        // The scripts are on the server then.
        await dbos.RegisterAgentAsync(Heartbeat(0));
        await Print("RegisterAgent, an agent's first", Agents - 1, async i => Demand((await dbos.RegisterAgentAsync(Heartbeat(i + 1))).Success));
        await Print("RegisterAgent, a heartbeat", Calls, async i => Demand((await dbos.RegisterAgentAsync(Heartbeat(i))).Success));
        await Print("SetModuleState, a request's first", Calls, async i => Demand((await dbos.SetModuleStateAsync(State(i, "running"))).Success));
        await Print("SetModuleState, its last", Calls, async i => Demand((await dbos.SetModuleStateAsync(State(i, "completed"))).Success));
        await Print("StoreResult", Calls, async i => Demand((await dbos.StoreResultAsync(Result(i))).Success));
        await Print("GetResult", Calls, async i => Demand((await dbos.GetResultAsync(new GetResultRequest { RequestId = Id("r", i), AgentId = AgentId(i) })).Found));
        await Print("ScheduleTask", Calls, async i => Demand((await dbos.ScheduleTaskAsync(new ScheduleTaskRequest { Task = Scheduled("s", i) })).Success));
        await PrintBatches($"a task of ScheduleTasks({Batch})", Calls, async i => Demand((await dbos.ScheduleTasksAsync(new ScheduleTasksRequest
        {
            Tasks = { Enumerable.Range(i * Batch, Batch).Select(task => Scheduled("b", task)) },
        })).Success));
        await PrintBatches($"a task of ListDueTasks({Batch})", 2 * Calls, async _ =>
        {
            var taken = await dbos.ListDueTasksAsync(new ListDueTasksRequest { Limit = Batch });
            Demand(taken.Tasks.Count == Batch);
            lock (leases)
            {
                leases.AddRange(taken.Tasks.Select(task => new AckTaskRequest { TaskId = task.Id, LeaseToken = task.LeaseToken }));
            }
        });
        await Print("AckTask", Calls, async i => Demand((await dbos.AckTaskAsync(leases[i])).Success));
        await PrintBatches($"a task of AckTasks({Batch})", Calls, async i => Demand((await dbos.AckTasksAsync(new AckTasksRequest
        {
            Acks = { leases.Skip(Calls + (i * Batch)).Take(Batch) },
        })).Success));
        await Print("GetTask", Calls, async i => Demand((await dbos.GetTaskAsync(new GetTaskRequest { TaskId = leases[i].TaskId })).Found));
        return true;

        Task PrintBatches(string name, int things, Func<int, Task> call) => Measured(name, things, Batch, redis, server, call);
        Task Print(string name, int things, Func<int, Task> call) => Measured(name, things, 1, redis, server, call);
    }

    private static async Task Measured(string name, int things, int size, RedisServer redis, DbosServer server, Func<int, Task> call)
    {
        // One batch after the other: takers at the same time get in each other's way.
        var before = await Look(redis);
        var round = await Round.Of(things / size, size == 1 ? InFlight : 1, server.Process.Id, (_, i) => call(i));
        var after = await Look(redis);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"  {name,-34} {Each("total_commands_processed"),9:F2} {Each("total_net_input_bytes"),10:F0} {Each("total_net_output_bytes"),10:F0} {Each("aof_current_size"),18:F0} {Each("used_memory"),12:F0} {1e6 * Each("used_cpu"),10:F0} {round.ServerMicroseconds / size,9:F0}"));

        double Each(string figure) => (after[figure] - before[figure]) / things;
    }

    /// <summary>The figures of INFO, by name.</summary>
    private static async Task<Dictionary<string, double>> Look(RedisServer redis)
    {
        var figures = new Dictionary<string, double>();
        foreach (var line in (await redis.Ask("INFO", "everything")).Split('\n', StringSplitOptions.TrimEntries))
        {
            if (line.Split(':', 2) is [var name, var text] && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var figure))
            {
                figures[name] = figure;
            }
        }

        figures["used_cpu"] = figures["used_cpu_sys"] + figures["used_cpu_user"];
        return figures;
    }

    private static RegisterAgentRequest Heartbeat(int i) => new()
    {
        Agent = new Agent { Id = AgentId(i), Hostname = "probe.example.net", Alive = true, LastSeen = DateTimeOffset.UtcNow.ToUnixTimeSeconds(), Config = { ["modules"] = new string('x', ConfigBytes) } },
    };

    private static SetModuleStateRequest State(int i, string state) => new()
    {
        State = new ModuleState { AgentId = AgentId(i), ModuleName = "ping", RequestId = Id("q", i), State = state, Timestamp = DateTimeOffset.UtcNow.ToUnixTimeSeconds() },
    };

    private static StoreResultRequest Result(int i) => new()
    {
        Result = new MeasurementResult { Id = Id("r", i), AgentId = AgentId(i), ModuleName = "ping", Data = Payload },
    };

    private static Wire.Task Scheduled(string kind, int i) =>
        new() { Id = Id(kind, i), AgentId = AgentId(i), ModuleName = "ping", Payload = Payload };

    private static string AgentId(int i) => $"agent-{i % Agents}";

    /// <summary>As long as a UUID.</summary>
    private static string Id(string kind, int i) => $"{kind}-{i:D34}";

    private static void Demand(bool asExpected)
    {
        if (!asExpected)
        {
            throw new InvalidOperationException("a call was not answered as it should be");
        }
    }
}
