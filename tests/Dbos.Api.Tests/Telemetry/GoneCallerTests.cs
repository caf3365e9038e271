using Dbos.Api.Tests.Support;
using Grpc.Core;

namespace Dbos.Api.Tests.Telemetry;

public sealed class GoneCallerTests(OneOnRedis dbos) : IClassFixture<OneOnRedis>
{
    [Fact]
    public async Task A_fault_of_a_write_that_ran_on_is_logged_though_its_caller_gave_up()
    {
        var id = Requests.NewId("agent");
        await dbos.Client.RegisterAgentAsync(Requests.Heartbeat(id));
        await dbos.Redis.MakeUnreadable(id);
        dbos.Redis.Pause();

        var write = () => dbos.Client.RegisterAgentAsync(Requests.Heartbeat(id), deadline: DateTime.UtcNow.AddMilliseconds(300)).ResponseAsync;

        (await write.Should().ThrowAsync<RpcException>()).Which.StatusCode.Should().Be(StatusCode.DeadlineExceeded);
        dbos.Redis.Resume();
        await Eventually.True(
            () => dbos.Server.Process.Output.Contains("RegisterAgent failed", StringComparison.Ordinal), TimeSpan.FromSeconds(5), "the fault is logged");
    }
}
