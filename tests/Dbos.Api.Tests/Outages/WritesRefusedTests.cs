using Dbos.Api.Tests.Support;
using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace Dbos.Api.Tests.Outages;

/// <summary>A Redis that answers, but takes no writes.</summary>
[Collection(Undisturbed.Name)]
public sealed class WritesRefusedTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    [Theory]
    [InlineData("maxmemory", "1", "0")]
    [InlineData("min-replicas-to-write", "1", "0")]
    public async Task Health_is_serving_only_while_writes_succeed(string setting, string refusing, string taking)
    {
        await using var dbos = await Deployment.Start(StoreKind.Redis);
        await dbos.Client.StoreResultAsync(Requests.Result("request-1"));

        await Configure(dbos.Redis, setting, refusing);
        foreach (var service in (string[])["dbos.DBOS", string.Empty])
        {
            await Eventually.True(
                async () => await dbos.Server.StatusOf(service) == ServingStatus.NotServing, Patience, "health tells that writes are refused");
        }

        (await dbos.Server.StatusOf("liveness")).Should().Be(ServingStatus.Serving);
        (await dbos.Client.GetResultAsync(new GetResultRequest { AgentId = Requests.Agent, RequestId = "request-1" })).Found.Should().BeTrue();
        var write = await FluentActions.Awaiting(() => dbos.Client.StoreResultAsync(Requests.Result("request-2")).ResponseAsync)
            .Should().ThrowAsync<Grpc.Core.RpcException>();
        new[] { write.Which }.ShouldAllBeUnavailable();

        await Configure(dbos.Redis, setting, taking);
        await dbos.Server.WaitUntilServing(Patience);
        (await dbos.Server.StatusOf(string.Empty)).Should().Be(ServingStatus.Serving);
        (await dbos.Client.StoreResultAsync(Requests.Result("request-2"))).Success.Should().BeTrue();
        dbos.Server.OutagesTold().Should().Equal("is away", "is back");
    }

    private static async Task Configure(RedisServer redis, string setting, string value) =>
        (await redis.Ask("config", "set", setting, value)).Should().Be("OK");
}
