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

    public static async Task<Figures> Run(Report report)
    {
        await using var redis = await RedisServer.Start();
        await using var server = await DbosServer.Start(new Dictionary<string, string> { ["REDIS_ADDR"] = redis.Address });
        var dbos = server.Client;
        var leases = new List<AckTaskRequest>();

        report.Say($"What a call costs Redis; {PayloadBytes} bytes of payload, {ConfigBytes} of an agent's configuration, 36 of an id, {Agents} agents, means of {Calls} calls");
        var table = new Table("call", "commands", "bytes in", "bytes out", "append-only file", "kept bytes", "Redis µs", "DBOS µs");
        // Loads the scripts into Redis.
        await dbos.RegisterAgentAsync(Heartbeat(0));
        await Row("RegisterAgent, an agent's first", Agents - 1, async i => Demand((await dbos.RegisterAgentAsync(Heartbeat(i + 1))).Success));
        await Row("RegisterAgent, a heartbeat", Calls, async i => Demand((await dbos.RegisterAgentAsync(Heartbeat(i))).Success));
        await Row("SetModuleState, a request's first", Calls, async i => Demand((await dbos.SetModuleStateAsync(State(i, "running"))).Success));
        await Row("SetModuleState, its last", Calls, async i => Demand((await dbos.SetModuleStateAsync(State(i, "completed"))).Success));
        await Row("StoreResult", Calls, async i => Demand((await dbos.StoreResultAsync(Result(i))).Success));
        await Row("GetResult", Calls, async i => Demand((await dbos.GetResultAsync(new GetResultRequest { RequestId = Id("r", i), AgentId = AgentId(i) })).Found));
        await Row("ScheduleTask", Calls, async i => Demand((await dbos.ScheduleTaskAsync(new ScheduleTaskRequest { Task = Scheduled("s", i) })).Success));
        await BatchRow($"a task of ScheduleTasks({Batch})", Calls, async i => Demand((await dbos.ScheduleTasksAsync(new ScheduleTasksRequest
        {
            Tasks = { Enumerable.Range(i * Batch, Batch).Select(task => Scheduled("b", task)) },
        })).Success));
        await BatchRow($"a task of ListDueTasks({Batch})", 2 * Calls, async _ =>
        {
            var taken = await dbos.ListDueTasksAsync(new ListDueTasksRequest { Limit = Batch });
            Demand(taken.Tasks.Count == Batch);
            lock (leases)
            {
                leases.AddRange(taken.Tasks.Select(task => new AckTaskRequest { TaskId = task.Id, LeaseToken = task.LeaseToken }));
            }
        });
        await Row("AckTask", Calls, async i => Demand((await dbos.AckTaskAsync(leases[i])).Success));
        await BatchRow($"a task of AckTasks({Batch})", Calls, async i => Demand((await dbos.AckTasksAsync(new AckTasksRequest
        {
            Acks = { leases.Skip(Calls + (i * Batch)).Take(Batch) },
        })).Success));
        await Row("GetTask", Calls, async i => Demand((await dbos.GetTaskAsync(new GetTaskRequest { TaskId = leases[i].TaskId })).Found));
        report.Print(table);
        return Figures.None;

        Task BatchRow(string name, int things, Func<int, Task> call) => Measured(table, name, things, Batch, redis, server, call);
        Task Row(string name, int things, Func<int, Task> call) => Measured(table, name, things, 1, redis, server, call);
    }

    private static async Task Measured(Table table, string name, int things, int size, RedisServer redis, DbosServer server, Func<int, Task> call)
    {
        // One batch after the other: takers at the same time get in each other's way.
        var before = await RedisInfo.Of(redis);
        var round = await Round.Of(things / size, size == 1 ? InFlight : 1, server.Process.Id, (_, i) => call(i));
        var after = await RedisInfo.Of(redis);
        table.Add(
            name,
            $"{Each("total_commands_processed"):F2}",
            $"{Each("total_net_input_bytes"):F0}",
            $"{Each("total_net_output_bytes"):F0}",
            $"{Each("aof_current_size"):F0}",
            $"{Each("used_memory"):F0}",
            $"{1e6 * Each("used_cpu"):F0}",
            $"{round.ServerMicroseconds / size:F0}");

        double Each(string figure) => (after[figure] - before[figure]) / things;
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
