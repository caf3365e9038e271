using System.Diagnostics;
using System.Globalization;
using Dbos.Api.Tests.Support;
using Grpc.Core;
using Xunit.Abstractions;

namespace Dbos.Api.Tests.Streams;

/// <summary>
/// Acknowledgements are prompt whatever else is asked at the time. The bounds are wide, as the clients share the processor with DBOS
/// and its store.
/// </summary>
public abstract class CrowdTests(Deployment dbos, ITestOutputHelper output)
{
    private const int Streams = 600;
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan MedianBound = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan TailBound = TimeSpan.FromSeconds(2);

    private readonly string agent = Requests.NewId("agent");

    [Fact]
    public async Task While_hundreds_of_streams_open_and_resynchronise()
    {
        var clients = dbos.Connect(8);
        var agents = Enumerable.Range(0, Streams).Select(number => $"{agent}-{number}").ToArray();

        // Every second stream is full, and the others wait.
        foreach (var some in agents.Where((_, number) => number % 2 == 0).Chunk(100))
        {
            await dbos.Client.Schedule([.. some.SelectMany(each => new[] { Requests.Task(Requests.NewId("task"), each), Requests.Task(Requests.NewId("task"), each) })]);
        }

        Taker[] takers = [];
        await ShouldAckPromptly("open", async () =>
        {
            takers = [.. agents.Select((each, number) => Taker.Start(clients[number % clients.Length], each))];
            await Task.WhenAll(takers.Where((_, number) => number % 2 == 0).Select(taker => taker.Next()));
        });
        await ShouldAckPromptly("resynchronise", BreakSubscriptions);

        // None of them has lost its way.
        await dbos.Client.Schedule([.. agents.Where((_, number) => number % 2 == 1).Select(each => Requests.Task(Requests.NewId("task"), each))]);
        await Task.WhenAll(takers.Where((_, number) => number % 2 == 1).Select(taker => taker.Next()));
        await Task.WhenAll(takers.Select(taker => taker.DisposeAsync().AsTask()));
    }

    [Fact]
    public async Task While_statistics_checks_and_whole_lists_are_asked_for_without_end()
    {
        const int Callers = 100;
        for (var i = 0; i < 2; i++)
        {
            await dbos.Client.ScheduleSome($"{agent}-other", 1_000);
        }

        using var ended = new CancellationTokenSource(Length);
        var clients = dbos.Connect(8);
        var (answered, refused) = (0, 0);
        var readers = Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            while (!ended.IsCancellationRequested)
            {
                try
                {
                    await Read(clients[caller % clients.Length], caller);
                    Interlocked.Increment(ref answered);
                }
                catch (RpcException busy) when (busy.StatusCode == StatusCode.ResourceExhausted)
                {
                    Interlocked.Increment(ref refused);
                    await Task.Delay(TimeSpan.FromMilliseconds(250));
                }
            }
        })));

        await ShouldAckPromptly("reads", () => readers);

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{answered} reads were answered, {refused} refused"));
        answered.Should().BePositive();
    }

    /// <summary>As an outage of a moment does.</summary>
    protected abstract Task BreakSubscriptions();

    private static async Task Read(DBOS.DBOSClient client, int caller)
    {
        switch (caller % 4)
        {
            case 0:
                using (var check = client.CheckConsistency(new CheckConsistencyRequest()))
                {
                    await foreach (var slice in check.ResponseStream.ReadAllAsync())
                    {
                        slice.Error.Should().BeEmpty();
                    }
                }

                break;
            case 1:
                await client.ListTasksAsync(new ListTasksRequest());
                break;
            default:
                await client.GetQueueStatsAsync(new GetQueueStatsRequest());
                break;
        }
    }

    /// <summary>One after the other, while something goes on.</summary>
    private async Task ShouldAckPromptly(string what, Func<Task> meanwhile)
    {
        var own = $"{agent}-{what}";
        var acker = dbos.Servers[0].Connect();
        var left = new Queue<WireTask>();
        for (var i = 0; i < 4; i++)
        {
            await dbos.Client.ScheduleSome(own, 500);
            (await dbos.Client.Take(own)).ToList().ForEach(left.Enqueue);
        }

        await acker.Ack(left.Dequeue());
        var delays = new List<TimeSpan>();
        var since = Stopwatch.StartNew();
        var going = meanwhile();
        while (left.Count > 0 && (since.Elapsed < Length || !going.IsCompleted))
        {
            var before = Stopwatch.GetTimestamp();
            (await acker.Ack(left.Dequeue())).Success.Should().BeTrue();
            delays.Add(Stopwatch.GetElapsedTime(before));
        }

        await going;
        delays.Sort();
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{what}: {delays.Count} acks, median {delays[delays.Count / 2].TotalMilliseconds:F1} ms, longest {delays[^1].TotalMilliseconds:F0} ms"));
        delays[delays.Count / 2].Should().BeLessThan(MedianBound);
        delays[^1].Should().BeLessThan(TailBound);
    }
}

[Collection(Undisturbed.Name)]
public sealed class CrowdOnRedis(OneOnRedis dbos, ITestOutputHelper output) : CrowdTests(dbos, output), IClassFixture<OneOnRedis>
{
    protected override async Task BreakSubscriptions() =>
        (await dbos.Redis.Ask("client", "kill", "type", "pubsub")).Should().Be("1");
}

[Collection(Undisturbed.Name)]
public sealed class CrowdOnCluster(OneOnCluster dbos, SharedCluster shared, ITestOutputHelper output)
    : CrowdTests(dbos, output), IClassFixture<OneOnCluster>
{
    /// <summary>On whichever nodes they are.</summary>
    protected override Task BreakSubscriptions() =>
        Task.WhenAll(shared.Cluster.Nodes.Select(node => node.Ask("client", "kill", "type", "pubsub")));
}

[Collection(Undisturbed.Name)]
public sealed class CrowdOnEmbedded(OneEmbedded dbos, ITestOutputHelper output) : CrowdTests(dbos, output), IClassFixture<OneEmbedded>
{
    /// <summary>It has none: what a process publishes to itself is not lost.</summary>
    protected override Task BreakSubscriptions() => Task.CompletedTask;
}
