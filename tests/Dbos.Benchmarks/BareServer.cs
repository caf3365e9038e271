using Dbos.Infrastructure.Redis;
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
        private static readonly byte[] Told = Filled(360);
        private static readonly byte[] Mark = Filled(34);
        private static readonly byte[] ResultDocument = Filled(262);
        private static readonly byte[] StateDocument = Filled(170);
        private static readonly byte[] TaskDocument = Filled(247);

        public override async Task<StoreResultResponse> StoreResult(StoreResultRequest request, ServerCallContext context)
        {
            var result = request.Result;
            await Commit(result.AgentId, $"result:{result.AgentId}:{result.Id}", ResultDocument, result.Data.Memory, result.Id, $"results:{result.AgentId}");
            return new StoreResultResponse { Success = true };
        }

        public override async Task<ScheduleTaskResponse> ScheduleTask(ScheduleTaskRequest request, ServerCallContext context)
        {
            var task = request.Task;
            await Commit(task.Id, $"task:{task.Id}", TaskDocument, task.Payload.Memory, task.Id, "tasks:pending");
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
                default,
                record,
                "states",
                $"states:agent:{state.AgentId}",
                $"states:module:{state.ModuleName}",
                $"states:both:{state.AgentId}:{state.ModuleName}");
            return new SetModuleStateResponse { Success = true, Version = 1 };
        }

        private static byte[] Filled(int bytes)
        {
            var filled = new byte[bytes];
            Array.Fill(filled, (byte)'x');
            return filled;
        }

        private async Task Commit(
            string id, string record, byte[] document, ReadOnlyMemory<byte> payload, string member, params string[] indexes)
        {
            const int History = 6_250;
            var tag = $"{{bare:{(uint)id.GetHashCode(StringComparison.Ordinal) % 16}}}:";
            RedisKey[] keys = [tag + record, $"{tag}mark:Bare:natural:{record}", tag + "events", .. indexes.Select(index => (RedisKey)(tag + index))];
            List<RedisValue> values = [0, document, payload, 0, false, Mark, 86_400, History, History + (History / 10), 1, Told];
            foreach (var _ in indexes)
            {
                values.Add(1_700_000_000_000);
                values.Add(member);
            }

            await Script.Commit.Run(redis, keys, [.. values]);
        }
    }
}
