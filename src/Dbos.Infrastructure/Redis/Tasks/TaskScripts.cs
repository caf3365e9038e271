using System.Text;
using Dbos.Application;
using Dbos.Application.Pipeline;
using Dbos.Application.Tasks;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Store;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis.Tasks;

/// <summary>How the scripts of the task queue are sent, and how their answers are read.</summary>
internal sealed partial class TaskScripts(RedisPartitions partitions, Heartbeats heartbeats, TimeProvider clock, ILogger logger)
{
    /// <summary>A script blocks Redis for as long as it runs: about 2 ms at the most.</summary>
    public const int MostInOneScript = 100;

    private static readonly AuditEvent NoEvent = new(string.Empty, string.Empty);

    /// <summary>What an event's body ends with, behind its metadata.</summary>
    public static ReadOnlyMemory<byte> TailOf(Origin origin) => EventWriter.Parts(NoEvent, origin).Tail;

    /// <summary>The arguments that idempotency_mark.lua reads.</summary>
    public static void AddMark(CommitContext context, List<RedisValue> values)
    {
        if (context.Mark is { } mark)
        {
            values.Add(Names.Mark(mark.Name));
            values.Add(MarkValue.Write(version: 0, mark.Content));
        }
        else
        {
            values.Add(RedisValue.EmptyString);
            values.Add(RedisValue.EmptyString);
        }
    }

    /// <summary>A mark was found, of a call with the same content.</summary>
    public static bool IsOwnMark(TaskItem item, CommitContext context) =>
        item.Outcome == "marked" && !MarkValue.Read((byte[])item.Parts[1]!, context.Mark!.Content).ContentDiffers;

    public static TaskItem ItemOf(ScriptAnswer answer, int index) =>
        new((RedisResult[])answer.Items.Span[index]!, answer.MayHaveRunBefore);

    /// <summary>What the caller is answered. Where the task stays as it is, the aggregate says why.</summary>
    /// <param name="context">Null: the operation takes no idempotency key.</param>
    /// <exception cref="StoreUnavailableException">The write was sent again, and may have been done before others changed the task.</exception>
    public static Answer<Written> AnswerOf(
        TaskItem item, CommitContext? context, string taskId, Func<MeasurementTask, Answer<Decision<MeasurementTask>>> decide)
    {
        switch (item.Outcome)
        {
            case "done":
                return new Written(0, Duplicate: false);
            case "kept":
                return new Written(0, Duplicate: true);
            case "marked":
                var first = MarkValue.Read((byte[])item.Parts[1]!, context!.Mark!.Content);
                context.ReplayDiffered = first.ContentDiffers;
                return new Written(first.Version, Duplicate: true);
            case "unknown":
                return item.MayHaveRunBefore ? throw ChangedByOthers() : TaskNotFound.Refusal(taskId);
            case "found":
                var decided = decide(TaskRecord.Decode(item.Parts[1], item.Parts[2], payload: null, item.Parts[3]));
                return decided.Refusal is { } refusal
                    ? item.MayHaveRunBefore ? throw ChangedByOthers() : refusal
                    : decided.Value.IsReplay ? ReplayOf(item, context?.ReplayDiffered ?? false)
                    : throw new InvalidOperationException($"a script left task '{taskId}' as it is, where the aggregate goes on");
            default:
                throw new InvalidOperationException($"a script answered '{item.Outcome}'");
        }
    }

    /// <summary>What was sent again may be its own replay, after others moved the task on: the same content is then not reported as a duplicate.</summary>
    private static Written ReplayOf(TaskItem item, bool contentDiffers) =>
        new(0, Duplicate: contentDiffers || !item.MayHaveRunBefore) { ContentDiffers = contentDiffers };

    /// <summary>One script with one task.</summary>
    public async Task<Answer<Written>> One(
        Script script,
        string taskId,
        CommitContext context,
        List<RedisValue> values,
        Func<MeasurementTask, Answer<Decision<MeasurementTask>>> decide,
        CancellationToken cancellation) =>
        AnswerOf(ItemOf(await partitions.Write(script, partitions.Of(taskId), values, cancellation), 0), context, taskId, decide);

    /// <summary>As many scripts as there are partitions, or hundreds of items, all at once.</summary>
    /// <param name="addHead">Adds the arguments before the number of items.</param>
    /// <param name="add">Adds the arguments of one item.</param>
    /// <returns>In the order of the items.</returns>
    public async Task<IReadOnlyList<Answer<Written>>> Each<T>(
        IReadOnlyList<T> items,
        Func<T, string> idOf,
        Script script,
        int valuesOfEach,
        Action<List<RedisValue>> addHead,
        Action<T, List<RedisValue>> add,
        Func<T, TaskItem, Answer<Written>> answerOf,
        CancellationToken cancellation)
    {
        var answers = new Answer<Written>[items.Count];
        var slices = ByPartition(items, idOf);
        if (slices is [var only])
        {
            await Run(only);
        }
        else
        {
            await Task.WhenAll(slices.Select(Run));
        }

        return answers;

        async Task Run(TaskSlice slice)
        {
            var values = partitions.NewWrite(4 + (valuesOfEach * slice.Indexes.Length));
            addHead(values);
            values.Add(slice.Indexes.Length);
            foreach (var i in slice.Indexes)
            {
                add(items[i], values);
            }

            var answer = await partitions.Write(script, slice.Partition, values, cancellation);
            for (var at = 0; at < slice.Indexes.Length; at++)
            {
                answers[slice.Indexes[at]] = answerOf(items[slice.Indexes[at]], ItemOf(answer, at));
            }
        }
    }

    public IReadOnlyList<TaskSlice> ByPartition<T>(IReadOnlyList<T> items, Func<T, string> idOf)
    {
        if (items.Count == 1)
        {
            return [new TaskSlice(partitions.Of(idOf(items[0])), [0])];
        }

        var slices = new List<TaskSlice>();
        foreach (var partition in Enumerable.Range(0, items.Count).GroupBy(i => partitions.Of(idOf(items[i]))))
        {
            slices.AddRange(partition.Chunk(MostInOneScript).Select(indexes => new TaskSlice(partition.Key, indexes)));
        }

        return slices;
    }

    /// <summary>
    /// One slice of background work in each partition where there may be some. While some partitions are away, the others'
    /// is done.
    /// </summary>
    /// <param name="deadlines">The statuses whose tasks have deadlines.</param>
    /// <returns>How much was done.</returns>
    public async Task<int> InEachPartition(
        MeasurementTaskStatus[] deadlines, Script script, Action<List<RedisValue>> addHead, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        if (!deadlines.Any(status => heartbeats.MayHavePassed(Names.Tasks(status.Word()), now)))
        {
            return 0;
        }

        var done = await Task.WhenAll(partitions.All.Select(Run));
        return done.Sum(some => some ?? 0) is > 0 and var count ? count
            : done.All(some => some is null) ? throw new StoreUnavailableException("no partition answers")
            : 0;

        async Task<int?> Run(int partition)
        {
            try
            {
                var values = partitions.NewWrite(4);
                addHead(values);
                values.Add(MostInOneScript);
                var answer = await partitions.Write(script, partition, values, cancellation, StoreWork.Background, StorePermits.CostOfUpTo(MostInOneScript));
                if (answer.Items.Length > 1 && (int)answer.Items.Span[1] is > 0 and var mended)
                {
                    LogMended(mended, partition);
                }

                return (int)answer.Items.Span[0];
            }
            catch (Exception outage) when (outage is StoreUnavailableException or StoreBusyException)
            {
                return null;
            }
        }
    }

    private static StoreUnavailableException ChangedByOthers() => new("a write was changed by others before it was known to be done");

    [LoggerMessage(LogLevel.Warning, "{Count} entries of inflight tasks in partition {Partition} did not fit their records and were put right")]
    private partial void LogMended(int count, int partition);
}

/// <summary>Some of a batch: those of one partition that one script handles.</summary>
internal readonly record struct TaskSlice(int Partition, int[] Indexes);

/// <summary>What a script answered about one task.</summary>
internal readonly record struct TaskItem(RedisResult[] Parts, bool MayHaveRunBefore)
{
    public string Outcome => (string)Parts[0]!;
}
