using Dbos.Wire;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;
using Task = System.Threading.Tasks.Task;

namespace Dbos.Benchmarks.Writes;

/// <summary>
/// The least that a gRPC server in front of Redis can do for a durable write: one script of five commands per call, which
/// checks and writes a record, an index entry, an event and a counter. No validation, no pipeline, no tracing.
/// </summary>
internal static class BareServer
{
    /// <summary>KEYS: record, index, events, counters. ARGV: document, payload, score, member, event, counter. Returns the version.</summary>
    private const string Script = """
        local version = (redis.call('HGET', KEYS[1], 'version') or 0) + 1
        redis.call('HSET', KEYS[1], 'version', version, 'document', ARGV[1], 'payload', ARGV[2])
        redis.call('ZADD', KEYS[2], ARGV[3], ARGV[4])
        redis.call('XADD', KEYS[3], 'MAXLEN', '~', 100000, '*', 'event', ARGV[5])
        redis.call('HINCRBY', KEYS[4], ARGV[6], 1)
        return version
        """;

    public static async Task Run(int port, string redis)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenLocalhost(port, listen => listen.Protocols = HttpProtocols.Http2));
        await using var connection = await ConnectionMultiplexer.ConnectAsync(redis);
        var script = await connection.GetServers()[0].ScriptLoadAsync(Script);
        builder.Services.AddSingleton(new Store(connection.GetDatabase(), script));
        builder.Services.AddGrpc();
        await using var app = builder.Build();
        app.MapGrpcService<Service>();
        await app.RunAsync();
    }

    private sealed class Service(Store store) : DBOS.DBOSBase
    {
        public override async Task<StoreResultResponse> StoreResult(StoreResultRequest request, ServerCallContext context)
        {
            var result = request.Result;
            await store.Write($"result:{result.AgentId}:{result.Id}", $"results:{result.AgentId}", result.Id, result.Data.Memory, "results");
            return new StoreResultResponse { Success = true };
        }

        public override async Task<ScheduleTaskResponse> ScheduleTask(ScheduleTaskRequest request, ServerCallContext context)
        {
            var task = request.Task;
            await store.Write($"task:{task.Id}", $"tasks:{task.AgentId}:{task.ModuleName}", task.Id, task.Payload.Memory, "tasks");
            return new ScheduleTaskResponse { Success = true };
        }

        public override async Task<SetModuleStateResponse> SetModuleState(SetModuleStateRequest request, ServerCallContext context)
        {
            var state = request.State;
            var version = await store.Write(
                $"state:{state.RequestId}:{state.AgentId}", $"states:{state.AgentId}:{state.ModuleName}", state.RequestId, payload: default, "states");
            return new SetModuleStateResponse { Success = true, Version = version };
        }
    }

    private sealed class Store(IDatabase redis, byte[] script)
    {
        /// <summary>About as long as a record's fields without its payload.</summary>
        private static readonly byte[] Document = Filled(100);

        /// <summary>About as long as an audit event.</summary>
        private static readonly byte[] Event = Filled(300);

        public async Task<long> Write(string record, string index, string member, ReadOnlyMemory<byte> payload, string counter)
        {
            RedisKey[] keys = [$"{{bare}}:{record}", $"{{bare}}:{index}", "{bare}:events", "{bare}:counters"];
            var now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
            return (long)await redis.ScriptEvaluateAsync(script, keys, [Document, payload, now, member, Event, counter]);
        }

        private static byte[] Filled(int bytes)
        {
            var filled = new byte[bytes];
            Array.Fill(filled, (byte)'x');
            return filled;
        }
    }
}
