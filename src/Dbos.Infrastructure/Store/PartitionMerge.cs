namespace Dbos.Infrastructure.Store;

/// <summary>
/// The first items, in one order, of lists that lie sorted in several partitions. Reads from each partition
/// a little more than its share, and further only where that was not enough, so that the cost follows what
/// is asked for and not what is stored.
/// </summary>
public static class PartitionMerge
{
    private const int Spare = 8;

    /// <param name="lists">Partitions, or whatever else a list lies in; one or more.</param>
    /// <param name="read">The first so many items of a list, sorted.</param>
    public static async Task<Merged<T>> First<TList, T>(
        IReadOnlyList<TList> lists, int count, Comparison<T> order, Func<TList, int, Task<IReadOnlyList<T>>> read)
    {
        var window = (2 * count / lists.Count) + Spare;
        var windows = await Task.WhenAll(lists.Select(list => read(list, window)));
        while (true)
        {
            // Behind the last item of a full window there may be more of that partition, so nothing that
            // sorts after the nearest such end is certain yet.
            var full = Enumerable.Range(0, windows.Length).Where(i => windows[i].Count >= window).ToArray();
            var sorted = windows.SelectMany(items => items).ToList();
            sorted.Sort(order);
            var certain = sorted.Count;
            foreach (var i in full)
            {
                var end = windows[i][^1];
                certain = Math.Min(certain, sorted.FindLastIndex(item => order(item, end) <= 0) + 1);
            }

            if (certain >= count || full.Length == 0)
            {
                return new Merged<T>(sorted.GetRange(0, Math.Min(count, certain)), sorted);
            }

            window *= 2;
            await Task.WhenAll(full.Select(async i => windows[i] = await read(lists[i], window)));
        }
    }
}

/// <param name="Seen">All that was read to find them, in the same order.</param>
public sealed record Merged<T>(IReadOnlyList<T> Items, IReadOnlyList<T> Seen);
