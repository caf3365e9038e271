using Dbos.Api.Tests.Support;
using Grpc.Core;

namespace Dbos.Api.Tests.Telemetry;

public sealed class LogTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_fault_is_one_line_with_the_callers_trace_id_and_a_success_or_refusal_is_none(bool isTraced)
    {
        // A receiver that is away is no reason to log either.
        (string, string)[] settings = isTraced ? [("OTEL_EXPORTER_OTLP_ENDPOINT", $"http://127.0.0.1:{FreePort.Find()}")] : [];
        await using var dbos = await Deployment.Start(StoreKind.Redis, servers: 1, settings);
        var before = Lines(dbos);
        var id = Requests.NewId("agent");
        await dbos.Client.RegisterAgentAsync(Requests.Heartbeat(id));
        await dbos.Client.GetTaskAsync(new GetTaskRequest());
        await dbos.Redis.MakeUnreadable(id);
        var caller = new CallerSpan();

        var get = () => dbos.Client.GetAgentAsync(new GetAgentRequest { AgentId = id }, caller.Metadata).ResponseAsync;

        await get.Should().ThrowAsync<RpcException>();
        await Eventually.True(() => Lines(dbos).Length > before.Length, TimeSpan.FromSeconds(5), "the fault is logged");
        var line = Lines(dbos).Skip(before.Length).Should().ContainSingle().Subject;
        line.Should().Contain("fail: Dbos.Api.Services.DbosService").And.Contain("GetAgent failed").And.Contain($"TraceId:{caller.TraceId}");
    }

    private static string[] Lines(Deployment dbos) =>
        dbos.Server.Process.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
