using Dbos.Application.Events;

namespace Dbos.Infrastructure.Events;

/// <summary>Looks at the newest entry of every stream: once for all watchers that wait, and only while there are any.</summary>
public sealed class EventHeads(IEventStreams streams, TimeProvider clock)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    private readonly Lock gate = new();
    private Task<IReadOnlyList<StreamPosition?>>? next;

    /// <summary>The position of the newest entry of each stream, read after this was called; null: the stream is empty.</summary>
    public Task<IReadOnlyList<StreamPosition?>> Next(CancellationToken cancellation)
    {
        lock (gate)
        {
            return (next ??= LookForAll()).WaitAsync(cancellation);
        }
    }

    /// <summary>The same, at once and for this caller alone.</summary>
    public async Task<IReadOnlyList<StreamPosition?>> Now(CancellationToken cancellation) =>
        await Task.WhenAll(EventStreamKey.All(streams.Partitions).Select(async stream =>
            await streams.Backward(stream, from: null, 1, cancellation) is [var newest] ? newest.Position : default(StreamPosition?)));

    /// <summary>Outside the context of the first caller: the look is no part of its trace.</summary>
    private Task<IReadOnlyList<StreamPosition?>> LookForAll()
    {
        using (ExecutionContext.SuppressFlow())
        {
            return Look();
        }
    }

    private async Task<IReadOnlyList<StreamPosition?>> Look()
    {
        await Task.Delay(Interval, clock);
        lock (gate)
        {
            next = null;
        }

        return await Now(CancellationToken.None);
    }
}
