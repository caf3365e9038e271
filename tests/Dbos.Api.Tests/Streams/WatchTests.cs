using Dbos.Api.Tests.Support;
using Grpc.Core;

namespace Dbos.Api.Tests.Streams;

public abstract class WatchTests(Deployment dbos)
{
    [Fact]
    public async Task A_watcher_on_one_replica_is_told_of_what_another_did()
    {
        var request = Requests.NewId("request");
        using var watch = dbos.Servers[0].Client.WatchEvents(new WatchEventsRequest { RequestId = request });
        (await watch.Next()).Should().BeTrue();
        watch.ResponseStream.Current.Events.Should().BeEmpty("nothing was told yet");

        await dbos.Servers[^1].Client.StoreResultAsync(Requests.Result(request));

        (await watch.Next()).Should().BeTrue();
        watch.ResponseStream.Current.Events.Select(told => LoggedEvent.Parse(told.Span).Type).Should().Equal("result_stored");
        watch.ResponseStream.Current.ResumeToken.Should().NotBeEmpty();
    }

    [Fact]
    public async Task Watchers_do_not_hold_up_a_DBOS_that_stops()
    {
        await using var stopping = await DbosServer.Start(new Dictionary<string, string>(dbos.Settings) { ["DATA_DIR"] = Path.Combine(dbos.Settings["DATA_DIR"], "beside") });
        using var watch = stopping.Client.WatchEvents(new WatchEventsRequest());
        using var agents = stopping.Client.WatchAgents(new WatchAgentsRequest());
        (await watch.Next()).Should().BeTrue();
        (await agents.Next()).Should().BeTrue();

        stopping.Process.Signal(UnixSignal.Terminate);
        (await stopping.Process.WaitForExit(TimeSpan.FromSeconds(8))).Should().Be(0);

        (await watch.Invoking(it => it.Next()).Should().ThrowAsync<RpcException>())
            .Which.StatusCode.Should().Be(StatusCode.Unavailable);
    }
}

[Collection(SharedRedis.Name)]
public sealed class WatchOnRedis(SharedRedis dbos) : WatchTests(dbos);

[Collection(SharedCluster.Name)]
public sealed class WatchOnCluster(SharedCluster shared) : WatchTests(shared.Dbos);

[Collection(SharedEmbedded.Name)]
public sealed class WatchOnEmbedded(SharedEmbedded dbos) : WatchTests(dbos);

public sealed class WatchOfLittleKeptTests
{
    private const int Kept = 32;

    /// <summary>Redis trims a stream by whole nodes of up to 100 entries.</summary>
    private const int MoreThanKept = 400;

    [Fact]
    public async Task A_watcher_that_would_resume_before_what_is_kept_is_told_so()
    {
        await using var dbos = await Deployment.Start(StoreKind.Redis, servers: 1, ("EVENT_RETENTION", $"{Kept}"), ("PARTITIONS", "1"));
        string place;
        using (var watch = dbos.Client.WatchEvents(new WatchEventsRequest()))
        {
            (await watch.Next()).Should().BeTrue("the watch has begun");
            await dbos.Client.StoreResultAsync(Requests.Result("first"));
            do
            {
                (await watch.Next()).Should().BeTrue();
                place = watch.ResponseStream.Current.ResumeToken;
            }
            while (watch.ResponseStream.Current.Events.Count == 0);
        }

        await Task.WhenAll(Enumerable.Range(0, MoreThanKept).Select(number => dbos.Client.StoreResultAsync(Requests.Result($"{number}")).ResponseAsync));

        using var late = dbos.Client.WatchEvents(new WatchEventsRequest { After = place });
        var replies = new List<WatchEventsResponse>();
        while (await late.Next())
        {
            replies.Add(late.ResponseStream.Current);
        }

        replies.Should().OnlyContain(reply => reply.Events.Count == 0);
        replies[^1].Should().Match<WatchEventsResponse>(end => end.Code == ErrorCode.NoLongerKept && end.Error.Contains("EVENT_RETENTION"));
    }
}
