namespace Dbos.Infrastructure.Events;

/// <summary>Goes back through one log, and sees each event once whatever is told meanwhile.</summary>
internal sealed class EventReader(EventLogs logs, int log)
{
    private readonly Queue<ToldEvent> ahead = [];

    /// <summary>Of the event after the last that was read.</summary>
    private int index;
    private string? last;
    private bool isAtEnd;

    public int Ahead => ahead.Count;

    /// <summary>The next event is known, or there is none.</summary>
    public bool IsReady => ahead.Count > 0 || isAtEnd;

    public bool HasNext => ahead.Count > 0;

    public ToldEvent Next => ahead.Peek();

    public void MoveOn() => ahead.Dequeue();

    public void End()
    {
        ahead.Clear();
        isAtEnd = true;
    }

    /// <param name="id">Of the event that comes first; empty: none does.</param>
    public async Task StartAt(string id, CancellationToken cancellation)
    {
        if (id.Length > 0 && await logs.Find(log, id, cancellation) is { } found)
        {
            index = found;
        }
        else
        {
            isAtEnd = true;
        }
    }

    public async Task ReadOn(int count, CancellationToken cancellation)
    {
        while (!isAtEnd)
        {
            // One that is known already tells how far the others moved.
            var overlap = last is null ? 0 : 1;
            var some = await logs.Read(log, index - overlap, count + overlap, cancellation);
            var known = last is null ? -1 : IndexOf(some, last);
            index += some.Count - overlap;
            isAtEnd = some.Count < count + overlap;
            if (known < 0 && last is not null)
            {
                continue;
            }

            foreach (var told in some.Skip(known + 1))
            {
                ahead.Enqueue(told);
                last = told.Id;
            }

            if (some.Count > known + 1)
            {
                return;
            }
        }
    }

    private static int IndexOf(IReadOnlyList<ToldEvent> some, string id)
    {
        for (var i = 0; i < some.Count; i++)
        {
            if (some[i].Id == id)
            {
                return i;
            }
        }

        return -1;
    }
}
