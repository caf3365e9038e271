using System.Collections.Concurrent;
using Dbos.Application.Paging;
using Dbos.Application.Tasks;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tasks;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis.Tasks;

/// <summary>What is read of tasks: single ones, pages of a status, and statistics.</summary>
internal sealed class RedisTaskLists(RedisPartitions partitions)
{
    private const int FirstRead = 8;
    private const int MostReadAtOnce = 100;

    /// <summary>Entries of each partition for one page, where a filter passes over most of them.</summary>
    private const int MostLookedAt = 5_000;

    private const int BucketsInAMinute = 6;
    private const int FieldsOfOne = 4;

    private static readonly Script ListTasks = new("list_tasks");
    private static readonly Script ReadTasks = new("read_tasks");
    private static readonly Script FindEndedDeliveries = new("find_ended_deliveries");
    private static readonly Script CountOfDeadLetters = new("count_dead_letters");
    private static readonly Script QueueStatistics = new("queue_stats");

    public async Task<MeasurementTask?> Find(string taskId, bool withPayload, CancellationToken cancellation)
    {
        var partition = partitions.Of(taskId);
        object[] words = [partitions.Key(partition, $"task:{taskId}"), "state", "fixed", "errors", .. withPayload ? (object[])["payload"] : []];
        var fields = (RedisResult[])(await partitions.Read(partition, "HMGET", words, cancellation))!;
        return fields[0].IsNull ? null : TaskRecord.Decode(fields[0], fields[1], withPayload ? fields[3] : null, fields[2]);
    }

    /// <param name="slices">Of the deliveries.</param>
    public async Task<IReadOnlyList<TaskDelivery>> FindEnded(
        IReadOnlyList<TaskDelivery> deliveries, IReadOnlyList<TaskSlice> slices, CancellationToken cancellation)
    {
        var answering = new AnsweringPartitions([.. partitions.All]);
        var ended = await Task.WhenAll(slices.Select(slice => answering.Heard(slice.Partition, FindIn(slice))));
        return [.. ended.SelectMany(some => some)];

        async Task<IReadOnlyList<TaskDelivery>> FindIn(TaskSlice slice)
        {
            RedisValue[] values = [.. slice.Indexes.SelectMany(i => (RedisValue[])[deliveries[i].TaskId, deliveries[i].LeaseToken])];
            var over = (int[])(await partitions.Read(
                FindEndedDeliveries,
                slice.Partition,
                values,
                cancellation,
                StoreWork.Background,
                StorePermits.CostOfUpTo(slice.Indexes.Length)))!;
            return [.. over.Select(at => deliveries[slice.Indexes[at]])];
        }
    }

    public Task<Page<MeasurementTask>> List(
        MeasurementTaskStatus? status, TaskFilter filter, PageRequest page, CancellationToken cancellation) =>
        TaskPages.Read(status, page, (each, limit, after, bytes) => List(each, filter, limit, after, bytes, cancellation));

    public async Task<DeadLetterCount> CountDeadLetters(TaskFilter filter, CancellationToken cancellation)
    {
        var share = DeadLetterCount.MostLookedAt / partitions.Count;
        var looks = Math.Min(MostLookedAt, share);
        var counts = await Task.WhenAll(partitions.All.Select(CountIn));
        return new DeadLetterCount(counts.Sum(one => one.Count), counts.All(one => one.IsComplete));

        async Task<DeadLetterCount> CountIn(int partition)
        {
            long count = 0;
            for (var from = 0; from < share; from += looks)
            {
                RedisValue[] values = [BeginOf(filter), ModuleOf(filter), from, looks];
                var cost = filter.IsAny ? 1 : StorePermits.CostOfEntries(looks);
                var answer = (long[])(await partitions.Read(CountOfDeadLetters, partition, values, cancellation, cost: cost))!;
                count += answer[0];
                if (answer[1] < looks)
                {
                    return new DeadLetterCount(count, IsComplete: true);
                }
            }

            return new DeadLetterCount(count, IsComplete: false);
        }
    }

    public async Task<QueueStats> Stats(CancellationToken cancellation)
    {
        var all = await Task.WhenAll(partitions.All.Select(async partition =>
            (RedisResult[])(await partitions.Read(QueueStatistics, partition, [BucketsInAMinute], cancellation))!));
        var counted = new Dictionary<MeasurementTaskStatus, long>
        {
            [MeasurementTaskStatus.Pending] = all.Sum(one => (long)one[0]),
            [MeasurementTaskStatus.Inflight] = all.Sum(one => (long)one[1]),
            [MeasurementTaskStatus.Completed] = all.Sum(one => (long)one[2]),
            [MeasurementTaskStatus.Failed] = all.Sum(one => (long)one[3]),
            [MeasurementTaskStatus.Cancelled] = all.Sum(one => (long)one[4]),
        };
        var lately = CountsOf(all.SelectMany(one => one[8..]));

        // The bucket of now is not full yet: the rates are over a minute and what has passed of it.
        var seconds = all.Max(one => (long)one[6]) / 1000.0;
        return new QueueStats(
            counted,
            TimeSpan.FromMilliseconds(all.Max(one => (long)one[5])),
            lately[TaskCounts.Scheduled] / seconds,
            lately[TaskCounts.Completed] / seconds,
            (lately[TaskCounts.Nacked] + lately[TaskCounts.LeaseExpired]) / seconds,
            CountsOf(all.Select(one => one[7])));
    }

    private async Task<Page<MeasurementTask>> List(
        MeasurementTaskStatus status, TaskFilter filter, int limit, PageCursor? after, long bytes, CancellationToken cancellation)
    {
        Comparison<IndexEntry> order = TaskPages.IsLowestFirst(status) ? Orders.Lowest : Orders.Highest;
        var stops = new ConcurrentQueue<IndexEntry>();
        var merged = await PartitionMerge.First(
            [.. partitions.All], limit + 1, order, (partition, count) => Entries(partition, status, filter, after, count, stops, cancellation));

        // Behind the place where a partition stopped looking it may have more.
        var stop = stops.Order(Comparer<IndexEntry>.Create(order)).Cast<IndexEntry?>().FirstOrDefault();
        var entries = merged.Items.Where(entry => stop is not { } last || order(entry, last) <= 0).ToArray();
        var items = new List<MeasurementTask>();
        var (done, atOnce) = (0, FirstRead);
        while (done < entries.Length && done < limit)
        {
            var some = entries.Skip(done).Take(Math.Min(atOnce, limit - done)).ToArray();
            var tasks = await Read(some, PageRequest.MostBytes - bytes, takesFirst: bytes == 0, cancellation);
            foreach (var task in tasks)
            {
                if (task is { IsRead: false })
                {
                    return new Page<MeasurementTask>(items, done > 0 ? CursorAt(entries[done - 1]) : after ?? PageCursor.Start) { Bytes = bytes };
                }

                if (task.Task is { } known)
                {
                    bytes += task.Bytes;
                    if (bytes > PageRequest.MostBytes && items.Count > 0)
                    {
                        return new Page<MeasurementTask>(items, CursorAt(entries[done - 1])) { Bytes = bytes };
                    }

                    items.Add(known);
                }

                done++;
            }

            // What was read so far is used to estimate how many more fit: few where tasks are large.
            atOnce = (int)Math.Clamp((PageRequest.MostBytes - bytes) / Math.Max(1, bytes / done), 1, MostReadAtOnce);
        }

        var next = done < entries.Length ? CursorAt(entries[done - 1])
            : stop is { } place ? CursorAt(place)
            : null;
        return new Page<MeasurementTask>(items, next) { Bytes = bytes };
    }

    private async Task<IReadOnlyList<IndexEntry>> Entries(
        int partition,
        MeasurementTaskStatus status,
        TaskFilter filter,
        PageCursor? after,
        int count,
        ConcurrentQueue<IndexEntry> stops,
        CancellationToken cancellation)
    {
        var looks = filter.IsAny ? count : Math.Max(MostLookedAt, count);
        RedisValue[] values =
        [
            status.Word(),
            TaskPages.IsLowestFirst(status),
            status is MeasurementTaskStatus.Completed or MeasurementTaskStatus.Cancelled,
            after is null ? RedisValue.EmptyString : after.Score,
            after?.Member ?? string.Empty,
            BeginOf(filter),
            ModuleOf(filter),
            count,
            looks,
        ];
        var answer = (RedisResult[])(await partitions.Read(ListTasks, partition, values, cancellation, cost: StorePermits.CostOfEntries(looks)))!;
        if ((string)answer[1]! is { Length: > 0 } member)
        {
            stops.Enqueue(new IndexEntry(partition, member, (long)answer[0]));
        }

        var entries = new IndexEntry[(answer.Length / 2) - 1];
        for (var i = 0; i < entries.Length; i++)
        {
            entries[i] = new IndexEntry(partition, (string)answer[(2 * i) + 3]!, (long)answer[(2 * i) + 2]);
        }

        return entries;
    }

    /// <returns>In the order of the entries; the last ones may not be read, as there is no room for them.</returns>
    private async Task<ReadTask[]> Read(IndexEntry[] entries, long bytes, bool takesFirst, CancellationToken cancellation)
    {
        var read = new ReadTask[entries.Length];
        await Task.WhenAll(Enumerable.Range(0, entries.Length).GroupBy(i => entries[i].Partition).Select(async some =>
        {
            int[] indexes = [.. some];
            RedisValue[] values = [Math.Max(0, bytes), takesFirst && indexes[0] == 0, .. indexes.Select(i => (RedisValue)IdOf(entries[i].Member))];
            var answer = (RedisResult[])(await partitions.Read(ReadTasks, some.Key, values, cancellation, cost: indexes.Length))!;
            for (var at = 0; at < answer.Length / FieldsOfOne; at++)
            {
                var fields = answer.AsSpan(at * FieldsOfOne, FieldsOfOne);
                var isThere = ((string)fields[0]!).Length > 0;
                read[indexes[at]] = new ReadTask(
                    IsRead: true,
                    isThere ? TaskRecord.Decode(fields[0], fields[1], fields[2], fields[3]) : null,
                    isThere ? ((byte[])fields[1]!).Length + ((byte[])fields[2]!).Length : 0);
            }
        }));
        return read;
    }

    private static string BeginOf(TaskFilter filter) => filter.AgentId.Length > 0 ? $"{QueueNames.Encode(filter.AgentId)}:" : string.Empty;

    private static string ModuleOf(TaskFilter filter) => filter.ModuleName.Length > 0 ? $":{QueueNames.Encode(filter.ModuleName)}:" : string.Empty;

    private static string IdOf(string member) => member[(member.IndexOf(':', member.IndexOf(':', StringComparison.Ordinal) + 1) + 1)..];

    private static PageCursor CursorAt(IndexEntry entry) => new(entry.Score, entry.Member);

    private static Dictionary<string, long> CountsOf(IEnumerable<RedisResult> lists)
    {
        var counts = TaskCounts.All.ToDictionary(name => name, _ => 0L);
        foreach (var list in lists)
        {
            var words = (RedisResult[])list!;
            for (var i = 0; i < words.Length; i += 2)
            {
                var name = (string)words[i]!;
                counts[name] = counts.GetValueOrDefault(name) + (long)words[i + 1];
            }
        }

        return counts;
    }

    private readonly record struct ReadTask(bool IsRead, MeasurementTask? Task, long Bytes);
}
