using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.ExceptionServices;
using Dbos.Application;
using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Application.Tasks;
using Dbos.Domain.Audit;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Store;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis.Tasks;

/// <summary>
/// Takes due tasks: one script finds, leases and returns those of a partition. Of several partitions a taker begins with the one whose
/// first task is due next, as far as this process knew within the last second.
/// </summary>
internal sealed class RedisTaskTaker(RedisPartitions partitions, TaskChannels channels)
{
    private static readonly Script TakeTasks = new("take_tasks") { IsRepeatable = false };
    private static readonly Script PeekTasks = new("peek_tasks");
    private static readonly AuditEvent Retrieved = new(EventTypes.TasksRetrieved, "due tasks taken");
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);

    /// <summary>What each partition has due next, for takers without a filter.</summary>
    private readonly ConcurrentDictionary<int, Head> heads = [];

    public async Task<IReadOnlyList<MeasurementTask>> Take(TakeOrder order, Origin origin, CancellationToken cancellation)
    {
        var taking = new Taking(order, EventWriter.Parts(Retrieved, origin));
        if (partitions.Count == 1)
        {
            await TakeFrom([(Score: 0, Partition: 0)], taking, cancellation);
        }
        else
        {
            await TakeFromDue(taking, cancellation);
        }

        // What some scripts leased must be returned: it would be held by no caller until the lease expires.
        if (taking is { Tasks.Count: 0, Outage: { } outage })
        {
            ExceptionDispatchInfo.Throw(outage);
        }

        return taking.Tasks;
    }

    private async Task TakeFromDue(Taking taking, CancellationToken cancellation)
    {
        int[] remembered = taking.Order.Filter.IsAny ? [.. partitions.All.Where(IsFresh)] : [];
        var due = await Peek(partitions.All.Except(remembered), taking, cancellation);
        due.AddRange(remembered.Where(heads.ContainsKey).Select(partition => (heads[partition].Score, partition)));
        await TakeFrom(due, taking, cancellation);
        if (taking.Tasks.Count == 0 && remembered.Length > 0)
        {
            // That nothing is due is only said when every partition was asked.
            await TakeFrom(await Peek(remembered, taking, cancellation), taking, cancellation);
        }
    }

    private bool IsFresh(int partition) =>
        heads.TryGetValue(partition, out var head) && Stopwatch.GetElapsedTime(head.At) < Fresh;

    /// <summary>The partitions that have something due, each with the score of its first.</summary>
    private async Task<List<(long? Score, int Partition)>> Peek(IEnumerable<int> some, Taking taking, CancellationToken cancellation)
    {
        RedisValue[] values = [RedisValue.EmptyString, RedisValue.EmptyString, SourceOf(taking.Order.Filter), DueBy(taking.Order)];
        var peeked = await Task.WhenAll(some.Select(async partition =>
        {
            try
            {
                var score = ScoreOf(await partitions.Read(PeekTasks, partition, values, cancellation, taking.Work));
                Remember(partition, score, taking.Order.Filter);
                return (Score: score, Partition: partition);
            }
            catch (Exception outage) when (outage is StoreUnavailableException or StoreBusyException)
            {
                taking.Outage = outage;
                return (Score: null, Partition: partition);
            }
        }));
        return [.. peeked];
    }

    private async Task TakeFrom(List<(long? Score, int Partition)> due, Taking taking, CancellationToken cancellation)
    {
        foreach (var (_, partition) in due.Where(one => one.Score is not null).OrderBy(one => one.Score))
        {
            if (taking.Left <= 0)
            {
                return;
            }

            try
            {
                await TakeFrom(partition, taking, cancellation);
            }
            catch (Exception outage) when (outage is StoreUnavailableException or StoreBusyException or OperationCanceledException)
            {
                taking.Outage = outage;
            }
        }
    }

    /// <summary>As many as are wanted, in scripts of bounded length.</summary>
    private async Task TakeFrom(int partition, Taking taking, CancellationToken cancellation)
    {
        int asked, got;
        do
        {
            asked = Math.Min(taking.Left, TaskScripts.MostInOneScript);
            var answer = await partitions.Write(TakeTasks, partition, ValuesOf(taking, asked), cancellation, taking.Work, StorePermits.CostOfUpTo(asked));
            got = taking.Add(answer.Items.Span);
            Remember(partition, ScoreOf(answer.Items.Span[0]), taking.Order.Filter);
        }
        while (got == asked && taking.Left > 0);
    }

    private List<RedisValue> ValuesOf(Taking taking, int limit)
    {
        var (filter, _, _, lease, reportsEnds) = taking.Order;
        var values = partitions.NewWrite(14);
        values.Add(filter.AgentId.Length > 0);
        values.Add(filter.ModuleName.Length > 0);
        values.Add(QueueNames.Encode(filter.AgentId));
        values.Add(QueueNames.Encode(filter.ModuleName));
        values.Add(DueBy(taking.Order));
        values.Add(limit);
        values.Add((long)lease.TotalMilliseconds);
        values.Add(taking.Bytes);
        values.Add(taking.Tasks.Count == 0);
        values.Add(reportsEnds ? channels.Holder : TaskRecord.NoHolder);
        values.Add(taking.Event.Head);
        values.Add(taking.Event.Tail);
        values.Add(partitions.Count > 1);
        values.Add(channels.Due);
        return values;
    }

    private static RedisValue DueBy(TakeOrder order) =>
        order.Due is { } due ? due.ToUnixTimeMilliseconds() : RedisValue.EmptyString;

    private void Remember(int partition, long? score, TaskFilter filter)
    {
        if (filter.IsAny && partitions.Count > 1)
        {
            heads[partition] = new Head(score, Stopwatch.GetTimestamp());
        }
    }

    private static long? ScoreOf(RedisResult answer) => (string)answer! is { Length: > 0 } ? (long)answer : null;

    /// <summary>The sorted set in agent_queues.lua that a filter takes from.</summary>
    private static string SourceOf(TaskFilter filter) => (filter.AgentId, filter.ModuleName) switch
    {
        ("", "") => "ready",
        (var agent, "") => $"ready:agent:{QueueNames.Encode(agent)}",
        ("", var module) => $"ready:module:{QueueNames.Encode(module)}",
        var (agent, module) => $"queue:{QueueNames.Of(agent, module)}",
    };

    /// <param name="Score">Null: nothing is due.</param>
    /// <param name="At">Stopwatch timestamp.</param>
    private readonly record struct Head(long? Score, long At);

    /// <summary>What one caller has so far.</summary>
    private sealed class Taking(TakeOrder order, EventParts told)
    {
        private const int FieldsOfOne = 4;

        public TakeOrder Order => order;

        public EventParts Event => told;

        /// <summary>Streams take as background work, so that however many of them look at once, callers are answered.</summary>
        public StoreWork Work => order.ReportsEnds ? StoreWork.Background : StoreWork.Write;

        public List<MeasurementTask> Tasks { get; } = [];

        /// <summary>That a reply has room for.</summary>
        public long Bytes { get; private set; } = PageRequest.MostBytes;

        public int Left => Bytes > 0 ? order.Limit - Tasks.Count : 0;

        public Exception? Outage { get; set; }

        /// <param name="items">As take_tasks.lua answers them.</param>
        /// <returns>How many were taken.</returns>
        public int Add(ReadOnlySpan<RedisResult> items)
        {
            for (var i = 1; i < items.Length; i += FieldsOfOne)
            {
                var task = TaskRecord.Decode(items[i], items[i + 1], items[i + 2], items[i + 3]);
                Tasks.Add(task);
                Bytes -= task.Payload.Length + ((byte[])items[i + 1]!).Length;
            }

            return (items.Length - 1) / FieldsOfOne;
        }
    }
}
