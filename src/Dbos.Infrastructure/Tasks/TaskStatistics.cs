using Dbos.Application.Paging;
using Dbos.Application.Tasks;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Tasks;

/// <summary>What can be told of all tasks at once: lengths of indexes, heads of bands, and counts.</summary>
internal static class TaskStatistics
{
    private const int BucketsInAMinute = 6;

    public static async Task<QueueStats> Read(IStore store, DateTimeOffset now, CancellationToken cancellation)
    {
        var tasks = Enum.GetValues<MeasurementTaskStatus>().ToDictionary(
            status => status,
            status => Sum(store, partition => store.CountEntries(new StoreKey(partition, Names.Tasks(status.Word())), cancellation)));
        var oldest = OldestDue(store, now, cancellation);

        // The bucket of now is not full yet: the rate is over a minute and what has passed of it.
        var latest = CountBuckets.Of(now);
        var since = now - DateTimeOffset.FromUnixTimeSeconds((latest - BucketsInAMinute) * (long)CountBuckets.Length.TotalSeconds);
        var totals = Counts(store, [null], cancellation);
        var recent = Counts(store, [.. Enumerable.Range(0, BucketsInAMinute + 1).Select(back => (long?)(latest - back))], cancellation);
        var counted = new Dictionary<MeasurementTaskStatus, long>();
        foreach (var (status, count) in tasks)
        {
            counted.Add(status, await count);
        }

        var lately = await recent;
        return new QueueStats(
            counted,
            await oldest is { } due ? now - DateTimeOffset.FromUnixTimeMilliseconds(due) : TimeSpan.Zero,
            lately[TaskCounts.Scheduled] / since.TotalSeconds,
            lately[TaskCounts.Completed] / since.TotalSeconds,
            (lately[TaskCounts.Nacked] + lately[TaskCounts.LeaseExpired]) / since.TotalSeconds,
            await totals);
    }

    private static async Task<long?> OldestDue(IStore store, DateTimeOffset now, CancellationToken cancellation)
    {
        var upTo = now.ToUnixTimeMilliseconds();
        var pending = Names.Tasks(MeasurementTaskStatus.Pending.Word());
        var heads = await Task.WhenAll(
            from partition in store.AllPartitions()
            from band in Enumerable.Range(0, Bands.Count)
            select store.Lowest(
                new StoreKey(partition, pending),
                new PageCursor(Bands.Score(band, 0), string.Empty),
                Bands.Score(band, upTo),
                count: 1,
                cancellation));
        return heads.SelectMany(head => head).Min(entry => (long?)Bands.DueOf(entry.Score));
    }

    private static async Task<Dictionary<string, long>> Counts(IStore store, long?[] buckets, CancellationToken cancellation)
    {
        var counts = await Task.WhenAll(
            from partition in store.AllPartitions() from bucket in buckets select store.Counts(partition, bucket, cancellation));
        return TaskCounts.All.ToDictionary(name => name, name => counts.Sum(some => some.GetValueOrDefault(name)));
    }

    private static async Task<long> Sum(IStore store, Func<int, Task<long>> count) =>
        (await Task.WhenAll(store.AllPartitions().Select(count))).Sum();
}
