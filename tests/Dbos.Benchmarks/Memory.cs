using Dbos.Testing;
using Dbos.Wire;
using Google.Protobuf;
using Task = System.Threading.Tasks.Task;

namespace Dbos.Benchmarks;

/// <summary>Bytes of Redis per record, all indexes included: each kind through gRPC into a fresh Redis of its own.</summary>
internal static class Memory
{
    private const int Records = 20_000;
    private const int InFlight = 64;
    private const int Agents = 20;
    private const int TaskBytes = 119;
    private const int ResultBytes = 375;

    public static async Task<Figures> Run(Report report)
    {
        report.Say($"{Records:N0} records of each kind, ids of 36 characters, {Agents} agents. Bytes per record: growth of used_memory without the growth of event logs, as MEMORY USAGE of their keys tells it.");
        var table = new Table("kind", "growth of used_memory", "of it event logs", "bytes per record", "subtracted keys");
        Target[] targets =
        [
            await Measure($"pending task with {TaskBytes} bytes of payload", 850, ScheduleTask, table),
            await Measure($"result of {ResultBytes} bytes", 850, StoreResult, table),
            await Measure("state", 800, SetModuleState, table),
        ];
        report.Print(table);
        return new Figures(targets);
    }

    private static async Task<Target> Measure(string kind, double must, Func<DBOS.DBOSClient, string, int, Task<bool>> write, Table table)
    {
        await using var redis = await RedisServer.Start();
        await using var server = await DbosServer.Start(new Dictionary<string, string> { ["REDIS_ADDR"] = Patient.To(redis.Address) });
        // Loads scripts, opens connections and creates the keys that every store has.
        await Fill(100);
        var before = await Usage.Of(redis);
        await Fill(Records);
        var after = await Usage.Of(redis);

        var (growth, logs) = (after.Used - before.Used, after.Logs - before.Logs);
        var bytes = (growth - logs) / Records;
        table.Add(kind, $"{growth:N0}", $"{logs:N0}", $"{bytes:F0}", after.Subtracted);
        return Target.AtMost($"bytes of Redis per {kind}", bytes, must, format: "F0");

        Task Fill(int records) => Round.Of(records, InFlight, server.Process.Id, async (_, i) =>
        {
            if (!await write(server.Client, Guid.NewGuid().ToString(), i))
            {
                throw new InvalidOperationException($"A {kind} was not written.");
            }
        });
    }

    private static async Task<bool> ScheduleTask(DBOS.DBOSClient client, string id, int i) => (await client.ScheduleTaskAsync(new ScheduleTaskRequest
    {
        Task = new Wire.Task { Id = id, AgentId = AgentOf(i), ModuleName = "ping", Payload = Text(TaskBytes) },
    })).Success;

    private static async Task<bool> StoreResult(DBOS.DBOSClient client, string id, int i) => (await client.StoreResultAsync(new StoreResultRequest
    {
        Result = new MeasurementResult { Id = id, AgentId = AgentOf(i), ModuleName = "ping", Data = Text(ResultBytes), Timestamp = Now() },
    })).Success;

    private static async Task<bool> SetModuleState(DBOS.DBOSClient client, string id, int i) => (await client.SetModuleStateAsync(new SetModuleStateRequest
    {
        State = new ModuleState { RequestId = id, AgentId = AgentOf(i), ModuleName = "ping", State = "running", Timestamp = Now() },
    })).Success;

    /// <summary>Random, as zeros would compress to nothing.</summary>
    private static ByteString Text(int bytes) => ByteString.CopyFromUtf8(Random.Shared.GetHexString(bytes));

    private static string AgentOf(int i) => $"agent-{i % Agents}";

    private static long Now() => DateTimeOffset.UtcNow.ToUnixTimeSeconds();

    /// <param name="Logs">Of it, bytes of event logs.</param>
    /// <param name="Subtracted">The keys of event logs.</param>
    private sealed record Usage(double Used, double Logs, string Subtracted)
    {
        public static async Task<Usage> Of(RedisServer redis)
        {
            // Redis frees the buffers of finished calls, and finishes the growth of hash tables, in its idle time.
            await Task.Delay(TimeSpan.FromSeconds(2));
            var used = (await RedisInfo.Of(redis))["used_memory"];
            double bytes = 0;
            var logs = new SortedDictionary<string, int>();
            foreach (var (key, type) in await EventLogs(redis))
            {
                bytes += double.Parse(await redis.Ask("MEMORY", "USAGE", key, "SAMPLES", "0"));
                var kind = $"{type} {Partitionless(key)}";
                logs[kind] = logs.GetValueOrDefault(kind) + 1;
            }

            return new Usage(used, bytes, logs.Count == 0 ? "none" : string.Join(", ", logs.Select(log => $"{log.Value} × {log.Key}")));
        }

        /// <summary>Every key whose name ends with <c>:events</c>, and every list or stream with the name <c>events</c>.</summary>
        private static async Task<IReadOnlyList<(string Key, string Type)>> EventLogs(RedisServer redis)
        {
            var found = new List<(string Key, string Type)>();
            foreach (var key in (await redis.Ask("KEYS", "*events")).Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                var type = await redis.Ask("TYPE", key);
                if (key.EndsWith(":events", StringComparison.Ordinal) || (type is "list" or "stream" && key is "events" or [.., '}', 'e', 'v', 'e', 'n', 't', 's']))
                {
                    found.Add((key, type));
                }
            }

            return found;
        }

        /// <summary>The name without the hash tag of its partition.</summary>
        private static string Partitionless(string key) => key.Contains('}', StringComparison.Ordinal) ? $"{{…}}{key[(key.IndexOf('}', StringComparison.Ordinal) + 1)..]}" : key;
    }
}
