namespace Dbos.Infrastructure.Store;

/// <summary>
/// The first items, in one order, of lists that lie sorted in several partitions. Reads from each partition
/// a little more than its share, and further only where that was not enough, so that the cost follows what
/// is asked for and not what is stored.
/// </summary>
public static class PartitionMerge
{
    private const int Spare = 4;
    private const int Growth = 4;

    /// <param name="lists">Partitions, or whatever else a list lies in.</param>
    /// <param name="read">The first so many items of a list, sorted.</param>
    public static Task<Merged<T>> First<TList, T>(
        IReadOnlyList<TList> lists, int count, Comparison<T> order, Func<TList, int, Task<IReadOnlyList<T>>> read) =>
        FirstOfAll(lists, count, order, (some, window) => Task.WhenAll(some.Select(list => read(list, window))));

    /// <param name="read">The first so many items of each of these lists, sorted.</param>
    public static async Task<Merged<T>> FirstOfAll<TList, T>(
        IReadOnlyList<TList> lists, int count, Comparison<T> order, Func<IReadOnlyList<TList>, int, Task<IReadOnlyList<T>[]>> read)
    {
        if (lists.Count == 0)
        {
            return new Merged<T>([], []);
        }

        var window = (2 * count / lists.Count) + Spare;
        var windows = await read(lists, window);
        var byOrder = Comparer<T>.Create(order);
        while (true)
        {
            var sorted = windows.SelectMany(items => items).ToList();
            sorted.Sort(byOrder);

            // Behind the last item of a full window there may be more of that list, so what sorts after it is not certain. One that
            // was wide enough stays so: what others bring sorts before.
            var tooShort = Enumerable.Range(0, windows.Length)
                .Where(i => windows[i].Count >= window && window < count && sorted.BinarySearch(windows[i][^1], byOrder) + 1 < count)
                .ToArray();
            if (tooShort.Length == 0)
            {
                return new Merged<T>(sorted.GetRange(0, Math.Min(count, sorted.Count)), sorted);
            }

            window = Math.Min(Growth * window, count);
            foreach (var (i, wider) in tooShort.Zip(await read([.. tooShort.Select(i => lists[i])], window)))
            {
                windows[i] = wider;
            }
        }
    }
}

/// <param name="Seen">All that was read to find them, in the same order.</param>
public sealed record Merged<T>(IReadOnlyList<T> Items, IReadOnlyList<T> Seen);
