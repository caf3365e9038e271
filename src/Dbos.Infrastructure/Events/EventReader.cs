using Dbos.Application.Events;

namespace Dbos.Infrastructure.Events;

/// <summary>Reads one stream from the newest entry back, some entries ahead of what is asked for.</summary>
internal sealed class EventReader(IEventStreams streams, EventStreamKey stream)
{
    private readonly Queue<StoredEvent> ahead = [];

    /// <summary>The entry that was read last. It is read again with the next ones.</summary>
    private StreamPosition? last;
    private bool isAtEnd;

    public EventStreamKey Stream => stream;

    public int Ahead => ahead.Count;

    /// <summary>The next entry is known, or there is none.</summary>
    public bool IsReady => ahead.Count > 0 || isAtEnd;

    public bool HasNext => ahead.Count > 0;

    public StoredEvent Next => ahead.Peek();

    public void MoveOn() => ahead.Dequeue();

    public void End()
    {
        ahead.Clear();
        isAtEnd = true;
    }

    /// <param name="position">Of the entry to begin with; null: there is none left.</param>
    /// <returns>False: the entry has left the stream.</returns>
    public async Task<bool> StartAt(StreamPosition? position, CancellationToken cancellation)
    {
        if (position is null)
        {
            isAtEnd = true;
            return true;
        }

        if (await streams.Backward(stream, position, 1, cancellation) is not [var first] || first.Position != position)
        {
            return false;
        }

        ahead.Enqueue(first);
        last = position;
        return true;
    }

    public async Task ReadOn(int count, CancellationToken cancellation)
    {
        if (isAtEnd)
        {
            return;
        }

        var some = await streams.Backward(stream, last, count + 1, cancellation);
        isAtEnd = some.Count <= count;
        foreach (var entry in some.SkipWhile(entry => entry.Position == last))
        {
            ahead.Enqueue(entry);
            last = entry.Position;
        }
    }
}
