using Dbos.Application.Events;

namespace Dbos.Infrastructure.Events;

/// <summary>Looks at the newest entry of every stream: once for all callers that wait for it at the same time, and only while there are any.</summary>
public sealed class EventHeads(IEventStreams streams, TimeProvider clock)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    private readonly Lock gate = new();
    private Task<IReadOnlyList<StreamPosition?>>? later, soon;
    private Task running = Task.CompletedTask;

    /// <summary>The position of the newest entry of each stream, read some time after this was called; null: the stream is empty.</summary>
    public Task<IReadOnlyList<StreamPosition?>> Next(CancellationToken cancellation)
    {
        lock (gate)
        {
            return (later ??= WithoutTrace(LookLater)).WaitAsync(cancellation);
        }
    }

    /// <summary>The same, read as soon as a look that is under way has ended.</summary>
    public Task<IReadOnlyList<StreamPosition?>> Now(CancellationToken cancellation)
    {
        lock (gate)
        {
            return (soon ??= WithoutTrace(LookSoon)).WaitAsync(cancellation);
        }
    }

    /// <summary>A look is for many callers, and no part of the trace of the first.</summary>
    private static T WithoutTrace<T>(Func<T> look)
    {
        using (ExecutionContext.SuppressFlow())
        {
            return look();
        }
    }

    private async Task<IReadOnlyList<StreamPosition?>> LookLater()
    {
        await Task.Delay(Interval, clock);
        lock (gate)
        {
            later = null;
        }

        return await Now(CancellationToken.None);
    }

    private async Task<IReadOnlyList<StreamPosition?>> LookSoon()
    {
        // A caller that waited for a look in vain has seen an outage: a further look would double its wait.
        var before = running.IsCompleted ? Task.CompletedTask : running;
        try
        {
            await before.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        }
        catch
        {
            lock (gate)
            {
                soon = null;
            }

            throw;
        }

        Task<IReadOnlyList<StreamPosition?>> look;
        lock (gate)
        {
            // Who comes from now on may have seen an event that this look does not.
            soon = null;
            running = look = Look();
        }

        return await look;
    }

    private async Task<IReadOnlyList<StreamPosition?>> Look() =>
        await Task.WhenAll(EventStreamKey.All(streams.Partitions).Select(async stream =>
            await streams.Backward(stream, from: null, 1, CancellationToken.None) is [var newest] ? newest.Position : default(StreamPosition?)));
}
