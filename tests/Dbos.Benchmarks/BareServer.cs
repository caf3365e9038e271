using Dbos.Infrastructure.Redis;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Store;
using Dbos.Wire;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;
using Task = System.Threading.Tasks.Task;

namespace Dbos.Benchmarks;

/// <summary>
/// The least that a gRPC server in front of Redis can do: one script for each call, equal to what DBOS runs,
/// with as many keys and as many bytes, and nothing else.
/// </summary>
internal static class BareServer
{
    public static async Task Run(int port, string redis)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenLocalhost(port, listen => listen.Protocols = HttpProtocols.Http2));
        var connection = await ConnectionMultiplexer.ConnectAsync(RedisConnection.Options(redis));
        builder.Services.AddSingleton(connection.GetDatabase());
        builder.Services.AddGrpc();
        await using var app = builder.Build();
        app.MapGrpcService<Service>();
        await app.RunAsync();
    }

    private sealed class Service(IDatabase redis) : DBOS.DBOSBase
    {
        private static readonly byte[] Told = Filled(370);
        private static readonly byte[] Mark = Filled(34);
        private static readonly byte[] ResultDocument = Filled(261);
        private static readonly byte[] StateDocument = Filled(169);
        private static readonly byte[] TaskDocument = Filled(366);

        public override async Task<StoreResultResponse> StoreResult(StoreResultRequest request, ServerCallContext context)
        {
            var result = request.Result;
            await Commit(
                result.AgentId,
                $"result:{result.AgentId}:{result.Id}",
                ResultDocument,
                result.Data.Memory,
                new Places(result.Id, [$"results:{result.AgentId}"]));
            return new StoreResultResponse { Success = true };
        }

        public override async Task<ScheduleTaskResponse> ScheduleTask(ScheduleTaskRequest request, ServerCallContext context)
        {
            var task = request.Task;
            await Commit(
                task.Id,
                $"task:{task.Id}",
                TaskDocument,
                task.Payload.Memory,
                new Places(task.Id, ["tasks:pending", $"tasks:pending:agent:{task.AgentId}", $"tasks:pending:module:{task.ModuleName}"])
                {
                    Lane = new Lane(
                        $"tasks:pending:both:{task.AgentId}:{task.ModuleName}",
                        $"{task.AgentId}:{task.ModuleName}",
                        ["turns", $"turns:agent:{task.AgentId}", $"turns:module:{task.ModuleName}"]),
                    Count = "scheduled",
                });
            return new ScheduleTaskResponse { Success = true };
        }

        public override async Task<SetModuleStateResponse> SetModuleState(SetModuleStateRequest request, ServerCallContext context)
        {
            var state = request.State;
            var record = $"state:{state.RequestId}";
            await Commit(
                state.RequestId,
                record,
                StateDocument,
                payload: default,
                new Places(
                    record,
                    [
                        "states", $"states:agent:{state.AgentId}", $"states:module:{state.ModuleName}",
                        $"states:both:{state.AgentId}:{state.ModuleName}",
                    ]));
            return new SetModuleStateResponse { Success = true, Version = 1 };
        }

        private static byte[] Filled(int bytes)
        {
            var filled = new byte[bytes];
            Array.Fill(filled, (byte)'x');
            return filled;
        }

        private async Task Commit(string id, string record, byte[] document, ReadOnlyMemory<byte> payload, Places places)
        {
            const int History = 6_250;
            var tag = $"{{bare:{(uint)id.GetHashCode(StringComparison.Ordinal) % 16}}}:";
            var now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
            List<RedisKey> keys =
            [
                tag + "events", tag + "counts", $"{tag}counts:{now / 10_000}",
                tag + record, $"{tag}mark:Bare:natural:{record}", .. places.Indexes.Select(index => (RedisKey)(tag + index)),
            ];
            List<RedisValue> values =
            [
                History, History + (History / 10), 180, now, 3_000, "bare:turns", 1,
                0, document, payload, false, RedisValue.EmptyString, Mark, 86_400,
                1, places.Indexes.Length, places.Lane is null ? 0 : 1, places.Count is null ? 0 : 1, Told,
            ];
            foreach (var _ in places.Indexes)
            {
                values.Add(1_700_000_000_000);
                values.Add(places.Member);
            }

            if (places.Lane is { } lane)
            {
                keys.AddRange(lane.Turns.Prepend(lane.Index).Select(name => (RedisKey)(tag + name)));
                values.AddRange([
                    1_700_000_000_000, places.Member, Bands.Score(0, 0), Bands.Score(1, 0), lane.TurnOf(0), lane.Turns.Count,
                ]);
            }

            if (places.Count is { } count)
            {
                values.Add(count);
            }

            await Script.Commit.Run(redis, [.. keys], [.. values]);
        }

        /// <summary>Where a record is to be found.</summary>
        private sealed record Places(string Member, string[] Indexes)
        {
            public Lane? Lane { get; init; }

            public string? Count { get; init; }
        }
    }
}
