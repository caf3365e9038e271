using Dbos.Api.Tests.Support;
using Grpc.Core;

namespace Dbos.Api.Tests.Streams;

public abstract class WatchTests(Deployment dbos)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task A_watcher_on_one_replica_is_told_of_what_another_did()
    {
        var request = Requests.NewId("request");
        using var patience = new CancellationTokenSource(Patience);
        using var watch = dbos.Servers[0].Client.WatchEvents(new WatchEventsRequest { RequestId = request }, cancellationToken: patience.Token);
        (await watch.ResponseStream.MoveNext(patience.Token)).Should().BeTrue();
        watch.ResponseStream.Current.Events.Should().BeEmpty("nothing was told yet");

        await dbos.Servers[^1].Client.StoreResultAsync(Requests.Result(request));

        (await watch.ResponseStream.MoveNext(patience.Token)).Should().BeTrue();
        watch.ResponseStream.Current.Events.Select(told => LoggedEvent.Parse(told.Span).Type).Should().Equal("result_stored");
        watch.ResponseStream.Current.ResumeToken.Should().NotBeEmpty();
    }

    [Fact]
    public async Task Watchers_do_not_hold_up_a_DBOS_that_stops()
    {
        await using var stopping = await DbosServer.Start(new Dictionary<string, string>(dbos.Settings) { ["DATA_DIR"] = Path.Combine(dbos.Settings["DATA_DIR"], "beside") });
        using var watch = stopping.Client.WatchEvents(new WatchEventsRequest());
        using var agents = stopping.Client.WatchAgents(new WatchAgentsRequest());
        (await watch.ResponseStream.MoveNext(CancellationToken.None)).Should().BeTrue();
        (await agents.ResponseStream.MoveNext(CancellationToken.None)).Should().BeTrue();

        stopping.Process.Signal(UnixSignal.Terminate);
        (await stopping.Process.WaitForExit(TimeSpan.FromSeconds(8))).Should().Be(0);

        (await watch.Invoking(it => it.ResponseStream.MoveNext(CancellationToken.None)).Should().ThrowAsync<RpcException>())
            .Which.StatusCode.Should().Be(StatusCode.Unavailable);
    }
}

public sealed class WatchOnRedis(TwoOnRedis dbos) : WatchTests(dbos), IClassFixture<TwoOnRedis>;

public sealed class WatchOnEmbedded(OneEmbedded dbos) : WatchTests(dbos), IClassFixture<OneEmbedded>;
