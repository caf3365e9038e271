using System.Collections.Concurrent;
using Dbos.Api.Tests.Support;
using Grpc.Core;

namespace Dbos.Api.Tests.Outages;

/// <summary>Whoever watches need not begin again after an outage.</summary>
[Collection(Undisturbed.Name)]
public sealed class WatchOutageTests : IAsyncLifetime
{
    private const string Agent = "agent-watched";
    private static readonly TimeSpan ServiceIsBack = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private Deployment dbos = null!;

    [Fact]
    public async Task A_watcher_is_told_once_of_all_that_was_acknowledged_before_an_outage_and_after_it()
    {
        using var watch = dbos.Client.WatchEvents(new WatchEventsRequest { AgentId = Agent, Type = "result_stored" });
        (await watch.Next()).Should().BeTrue();
        var told = new ConcurrentQueue<string>();
        var reading = Read(watch, told);

        // The last of them are not told yet when Redis goes.
        var before = await Store(50);
        await dbos.Redis.Kill();
        (await EveryCall.StoreResults([dbos.Client])).Single()!.StatusCode.Should().Be(StatusCode.Unavailable);
        await dbos.Redis.Start();
        await dbos.Server.WaitUntilAnswering(ServiceIsBack);
        var after = await Store(50);

        await Eventually.True(() => told.Contains(after[^1]), Patience, "the last is told");
        // Events of one millisecond in several partitions have no order.
        told.Take(before.Length).Should().BeEquivalentTo(before);
        told.Skip(before.Length).Should().BeEquivalentTo(after);
        reading.IsCompleted.Should().BeFalse("the stream goes on");
    }

    public async Task InitializeAsync() => dbos = await Deployment.Start(StoreKind.Redis);

    public async Task DisposeAsync() => await dbos.DisposeAsync();

    private static async Task Read(AsyncServerStreamingCall<WatchEventsResponse> watch, ConcurrentQueue<string> told)
    {
        try
        {
            await foreach (var reply in watch.ResponseStream.ReadAllAsync())
            {
                foreach (var json in reply.Events)
                {
                    told.Enqueue(LoggedEvent.Parse(json.Span)["request_id"]);
                }
            }
        }
        catch (RpcException end) when (end.StatusCode == StatusCode.Cancelled)
        {
            // The test is over.
        }
    }

    /// <summary>One after the other, so that their order is known.</summary>
    private async Task<string[]> Store(int count)
    {
        var ids = new string[count];
        for (var i = 0; i < count; i++)
        {
            ids[i] = Requests.NewId("request");
            (await dbos.Client.StoreResultAsync(Requests.Result(ids[i], agentId: Agent))).Success.Should().BeTrue();
        }

        return ids;
    }
}
