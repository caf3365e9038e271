using System.Threading.Channels;
using Grpc.Core;

namespace Dbos.Api.Tests.Support;

/// <summary>A taker that reads its stream of due tasks as fast as it comes.</summary>
public sealed class Taker : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(300);

    private readonly AsyncServerStreamingCall<StreamDueTasksResponse> call;
    private readonly Channel<Delivery> deliveries = Channel.CreateUnbounded<Delivery>();

    private Taker(AsyncServerStreamingCall<StreamDueTasksResponse> call)
    {
        this.call = call;
        End = Read();
    }

    /// <summary>How the stream ended.</summary>
    public Task<StatusCode> End { get; }

    public static Taker Start(DBOS.DBOSClient client, string agentId, int maxInflight = 1, long leaseSeconds = 0) =>
        new(client.StreamDueTasks(
            new StreamDueTasksRequest { AgentId = agentId, MaxInflight = maxInflight, VisibilityTimeoutSeconds = leaseSeconds }));

    public async Task<Delivery> Next() => await deliveries.Reader.ReadAsync().AsTask().WaitAsync(Patience);

    public async Task<WireTask[]> Next(int count)
    {
        var tasks = new WireTask[count];
        for (var i = 0; i < count; i++)
        {
            tasks[i] = (await Next()).Task;
        }

        return tasks;
    }

    /// <summary>All that came and was not asked for yet.</summary>
    public IReadOnlyList<WireTask> Rest()
    {
        var rest = new List<WireTask>();
        while (deliveries.Reader.TryRead(out var delivery))
        {
            rest.Add(delivery.Task);
        }

        return rest;
    }

    /// <summary>Long enough for whatever is under way to arrive.</summary>
    public async Task ShouldGetNothing()
    {
        await Task.Delay(Quiet);
        Rest().Should().BeEmpty();
    }

    public async ValueTask DisposeAsync()
    {
        call.Dispose();
        await End;
    }

    private async Task<StatusCode> Read()
    {
        try
        {
            await foreach (var reply in call.ResponseStream.ReadAllAsync())
            {
                var at = DateTimeOffset.UtcNow;
                foreach (var task in reply.Tasks)
                {
                    deliveries.Writer.TryWrite(new Delivery(task, at));
                }
            }

            return StatusCode.OK;
        }
        catch (RpcException end)
        {
            return end.StatusCode;
        }
        catch (ObjectDisposedException)
        {
            // The client's own word for it, where the call was dropped between two reads.
            return StatusCode.Cancelled;
        }
    }
}

public sealed record Delivery(WireTask Task, DateTimeOffset At);
