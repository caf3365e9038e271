using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Events;

/// <summary>
/// Both logs of every partition, numbered through. Each is newest first in the order of its commits, and so nearly in the order
/// of its ids. What is at an index moves to the next with every event that is told meanwhile.
/// </summary>
public sealed class EventLogs(IStore store, StoreSettings settings)
{
    /// <summary>By no more than this is an event committed after others with later ids: a call ends before.</summary>
    public static readonly TimeSpan Disorder = TimeSpan.FromSeconds(10);

    private const int FirstWindow = 64;

    public int Count => 2 * store.Partitions;

    public IEnumerable<int> Of(int partition) => [partition, partition + store.Partitions];

    public async Task<IReadOnlyList<ToldEvent>> Read(int log, int skip, int count, CancellationToken cancellation)
    {
        var name = log < store.Partitions ? EventLogName.History : EventLogName.Refusals;
        var newest = await store.NewestEvents(log % store.Partitions, name, skip, count, cancellation);
        return [.. newest.Select(json => new ToldEvent(EventIds.Of(json.Span), json))];
    }

    /// <summary>The id of the newest event of each; empty: there is none.</summary>
    public async Task<IReadOnlyList<string>> Heads(CancellationToken cancellation) =>
        await Task.WhenAll(Enumerable.Range(0, Count).Select(
            async log => await Read(log, 0, 1, cancellation) is [var newest] ? newest.Id : string.Empty));

    /// <summary>The latest event whose id does not sort after this one; empty: the log has none; null: it is not kept any more.</summary>
    public async Task<string?> LastUpTo(int log, string id, CancellationToken cancellation)
    {
        var index = await FirstNotAfter(log, id, cancellation);
        return await Read(log, index, 1, cancellation) is [var last]
            ? last.Id
            : index < MostOf(log) ? string.Empty : null;
    }

    /// <summary>The index of an event, of none the length of the log; null: it is not kept any more.</summary>
    public async Task<int?> Find(int log, string id, CancellationToken cancellation)
    {
        if (id.Length == 0)
        {
            var length = await FirstNotAfter(log, id, cancellation);
            return length < MostOf(log) ? length : null;
        }

        var about = await FirstNotAfter(log, id, cancellation);
        var (newest, oldest) = (EventIds.Shift(id, Disorder), EventIds.Shift(id, -Disorder));
        for (var window = FirstWindow; ; window *= 4)
        {
            var from = Math.Max(0, about - window);
            var some = await Read(log, from, about + window - from, cancellation);
            for (var i = 0; i < some.Count; i++)
            {
                if (some[i].Id == id)
                {
                    return from + i;
                }
            }

            var isWholeAhead = from == 0 || (some.Count > 0 && some[0].IsAfter(newest));
            var isWholeBehind = from + some.Count < about + window || !some[^1].IsAfter(oldest);
            if (isWholeAhead && isWholeBehind)
            {
                return null;
            }
        }
    }

    /// <summary>A shorter log was never trimmed.</summary>
    private int MostOf(int log)
    {
        var overAll = log < store.Partitions ? settings.EventRetention : settings.RefusalRetention;
        return (overAll + store.Partitions - 1) / store.Partitions;
    }

    /// <summary>About where the events begin whose ids do not sort after this one; the length of the log if there are none.</summary>
    public async Task<int> FirstNotAfter(int log, string id, CancellationToken cancellation)
    {
        var (low, high) = (0, 1);
        while (await IsAfter(high - 1))
        {
            (low, high) = (high, 2 * high);
        }

        while (low < high - 1)
        {
            var middle = (low + high) / 2;
            (low, high) = await IsAfter(middle - 1) ? (middle, high) : (low, middle);
        }

        return low;

        async Task<bool> IsAfter(int index) => await Read(log, index, 1, cancellation) is [var told] && told.IsAfter(id);
    }
}

public readonly record struct ToldEvent(string Id, ReadOnlyMemory<byte> Json)
{
    public bool IsAfter(string id) => string.CompareOrdinal(Id, id) > 0;
}
