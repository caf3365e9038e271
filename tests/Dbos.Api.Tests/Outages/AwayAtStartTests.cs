using Dbos.Api.Tests.Support;
using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace Dbos.Api.Tests.Outages;

[Collection(Undisturbed.Name)]
public sealed class AwayAtStartTests
{
    private static readonly TimeSpan LongestReturn = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Outage = TimeSpan.FromSeconds(4);

    [Fact]
    public async Task DBOS_listens_says_so_and_serves_soon_after_Redis_starts()
    {
        await using var redis = await RedisServer.Start();
        await redis.Kill();
        await using var server = await DbosServer.StartUnready(new Dictionary<string, string> { ["REDIS_ADDR"] = redis.Address });

        (await server.StatusOf("liveness")).Should().Be(ServingStatus.Serving);
        (await server.StatusOf("dbos.DBOS")).Should().Be(ServingStatus.NotServing);
        (await server.StatusOf(string.Empty)).Should().Be(ServingStatus.NotServing);
        await Eventually.True(() => LinesAbout(redis, server) > 0, LongestReturn, "the log tells of the outage");
        var end = DateTime.UtcNow + Outage;
        while (DateTime.UtcNow < end)
        {
            (await EveryCall.Send(server.Client)).ShouldAllBeUnavailable();
        }

        LinesAbout(redis, server).Should().Be(1, server.Process.Output);
        await redis.Start();
        await server.WaitUntilServing(LongestReturn);
        (await EveryCall.Send(server.Client)).Should().OnlyContain(failure => failure == null);
        server.OutagesTold().Should().Equal("is away", "is back");
    }

    private static int LinesAbout(RedisServer redis, DbosServer server) =>
        server.Process.Output.Split('\n').Count(line => line.Contains($"Redis at {redis.Address} is away", StringComparison.Ordinal));
}
