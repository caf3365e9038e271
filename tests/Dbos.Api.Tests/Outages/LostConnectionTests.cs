using Dbos.Api.Tests.Support;

namespace Dbos.Api.Tests.Outages;

/// <summary>One of several connections breaks, and writes go on.</summary>
[Collection(Undisturbed.Name)]
public sealed class LostConnectionTests(OneOnRedis dbos) : IClassFixture<OneOnRedis>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Not at once on a machine so busy that the other connection is lost over it.</summary>
    [Fact]
    public async Task A_subscription_that_broke_is_no_outage() => await Eventually.True(
        async () =>
        {
            var told = dbos.Server.OutagesTold().Count();
            await Break();
            (await dbos.Client.StoreResultAsync(Requests.Result(Requests.NewId("request")))).Success.Should().BeTrue();
            return dbos.Server.OutagesTold().Count() == told;
        },
        6 * Patience,
        "nothing is told of it");

    private async Task Break()
    {
        var before = string.Empty;
        await Eventually.True(async () => (before = await Subscription()).Length > 0, Patience, "it has subscribed");
        await dbos.Redis.Ask("client", "kill", "type", "pubsub");
        await Eventually.True(async () => await Subscription() is { Length: > 0 } after && after != before, Patience, "it has subscribed again");
        await dbos.Server.WaitUntilAnswering(Patience);
    }

    /// <summary>Its id; empty: there is none.</summary>
    private async Task<string> Subscription() => (await dbos.Redis.Ask("client", "list", "type", "pubsub")).Split(' ')[0];
}
