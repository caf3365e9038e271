using Dbos.Api.Tests.Support;
using Grpc.Core;

namespace Dbos.Api.Tests.Telemetry;

/// <summary>A watch lasts for days, and asks the store a few times a second: that is no part of its caller's trace.</summary>
[Collection(nameof(TracedDbos))]
public sealed class WatchSpanTests(TracedDbos dbos)
{
    [Fact]
    public async Task What_a_watch_asks_while_it_lasts_has_no_spans()
    {
        var (caller, last) = (new CallerSpan(), new CallerSpan());
        var request = Requests.NewId("request");
        using var events = dbos.Client.WatchEvents(new WatchEventsRequest { RequestId = request }, caller.Metadata);
        using var agents = dbos.Client.WatchAgents(new WatchAgentsRequest(), caller.Metadata);
        await Next(events);
        await Next(agents);

        foreach (var id in (string[])["1", "2"])
        {
            await dbos.Client.StoreResultAsync(Requests.Result(request, agentId: id));
            await Next(events);
        }

        await dbos.Client.GetQueueStatsAsync(new GetQueueStatsRequest(), last.Metadata);
        await dbos.Receiver.Receive(span => span.TraceId == last.TraceId && span.Name == "dbos.DBOS/GetQueueStats", "what ended later");
        dbos.Receiver.Spans.Where(span => span.TraceId == caller.TraceId).Select(span => span.Name)
            .Should().BeEquivalentTo("WatchEvents", "WatchAgents");
    }

    private static async Task Next<T>(AsyncServerStreamingCall<T> watch) =>
        (await watch.Next()).Should().BeTrue();
}
