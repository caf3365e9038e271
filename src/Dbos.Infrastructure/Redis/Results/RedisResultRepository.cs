using System.Runtime.CompilerServices;
using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Application.Results;
using Dbos.Domain.Results;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Results;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Transfer;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis.Results;

/// <summary>Results lie in the partition of their id, so that all that belongs to a request lies together. See result_record.lua.</summary>
internal sealed class RedisResultRepository(RedisPartitions partitions) : IResultRepository, ISubjectTransfer<TransferredResult>
{
    private const int ItemsOfOneScript = 100;

    /// <summary>Of values that one script reads or writes, except for a single larger one.</summary>
    private const int BytesOfOneScript = 1024 * 1024;

    private static readonly Script StoreScript = new("store_result");
    private static readonly Script FindScript = new("find_result");
    private static readonly Script FindOfRequestScript = new("find_results_of_request");
    private static readonly Script ImportScript = new("import_results");
    private static readonly Script OrderScript = new("order_results");

    public async Task<Written> Store(MeasurementResult result, CommitContext context, CancellationToken cancellation)
    {
        var values = partitions.NewWrite(capacity: 6);
        values.Add(context.Mark is { } mark ? Names.Mark(mark.Name) : RedisValue.EmptyString);
        values.Add(context.Mark is { Content: var content } ? MarkValue.Write(MeasurementResult.Version, content) : RedisValue.EmptyString);
        values.Add(result, context.Events[0], context.Origin);
        var answer = (await partitions.Write(StoreScript, partitions.Of(result.Id), values, cancellation)).Items;
        switch ((int)answer.Span[0])
        {
            case 0:
                return new Written(MeasurementResult.Version, Duplicate: false);
            case 1:
                var first = MarkValue.Read((byte[])answer.Span[1]!, context.Mark!.Content);
                return new Written(first.Version, Duplicate: true) { ContentDiffers = first.ContentDiffers };
            case 2:
                // Certain after a lost answer too: a result is never overwritten, so this one was stored by another call.
                return new Written(MeasurementResult.Version, Duplicate: true) { ContentDiffers = (int)answer.Span[1] == 1 };
            default:
                throw new InvalidOperationException($"store_result.lua answered {answer.Span[0]}");
        }
    }

    public async Task<MeasurementResult?> Find(string agentId, string resultId, CancellationToken cancellation) =>
        (byte[]?)await partitions.Read(FindScript, partitions.Of(resultId), [Names.Encode(resultId), Names.Encode(agentId)], cancellation) is { } value
            ? ResultValue.Read(resultId, value)
            : null;

    public async Task<IReadOnlyList<ResultSummary>> FindOfRequest(string resultId, CancellationToken cancellation)
    {
        var found = new List<ResultSummary>();
        RedisResult[] some;
        do
        {
            RedisValue[] values = [Names.Encode(resultId), found.Count, ItemsOfOneScript, ResultValue.SummaryBytes];
            some = (RedisResult[])(await partitions.Read(
                FindOfRequestScript, partitions.Of(resultId), values, cancellation, cost: StorePermits.CostOfUpTo(ItemsOfOneScript)))!;
            found.AddRange(some.Select(beginning => ResultValue.ReadSummary((byte[])beginning!)));
        }
        while (some.Length == ItemsOfOneScript && found.Count < ResultSummary.MostOfRequest);

        return found;
    }

    public async Task<Page<MeasurementResult>> List(string agentId, PageRequest page, CancellationToken cancellation)
    {
        var items = new List<MeasurementResult>();
        var reader = new ResultReader(partitions, agentId, ResultPlace.Of(page.After), page.Limit);
        ResultPlace? last = null;
        long bytes = 0;
        while (await reader.Peek(cancellation) is { } next)
        {
            if (items.Count == page.Limit || (items.Count > 0 && bytes + next.Bytes > PageRequest.MostBytes))
            {
                return new Page<MeasurementResult>(items, last!.Value.ToCursor()) { Bytes = bytes };
            }

            items.Add(next.Result);
            bytes += next.Bytes;
            last = next.Place;
            reader.MoveOn();
        }

        return new Page<MeasurementResult>(items, Next: null) { Bytes = bytes };
    }

    public async IAsyncEnumerable<TransferredResult> Export([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var reader = new ResultReader(partitions, agentId: string.Empty, after: null, limit: int.MaxValue);
        while (await reader.Peek(cancellation) is { } next)
        {
            yield return new TransferredResult(next.Result, next.Place.Microseconds);
            reader.MoveOn();
        }
    }

    public async Task Import(IReadOnlyList<TransferredResult> records, CancellationToken cancellation)
    {
        foreach (var partition in records.GroupBy(record => partitions.Of(record.Result.Id)))
        {
            var slice = new List<TransferredResult>();
            foreach (var record in partition)
            {
                slice.Add(record);
                if (slice.Count == ItemsOfOneScript || slice.Sum(one => one.Result.Data.Length) > BytesOfOneScript)
                {
                    await Import(partition.Key, slice, cancellation);
                    slice.Clear();
                }
            }

            await Import(partition.Key, slice, cancellation);
        }
    }

    public async Task EndImport(CancellationToken cancellation)
    {
        foreach (var partition in partitions.All)
        {
            ReadOnlyMemory<RedisResult> left;
            do
            {
                var values = partitions.NewWrite(capacity: 1);
                values.Add(ItemsOfOneScript);
                left = (await partitions.Write(OrderScript, partition, values, cancellation)).Items;
            }
            while ((long)left.Span[0] > 0);
        }
    }

    private Task<ScriptAnswer> Import(int partition, List<TransferredResult> records, CancellationToken cancellation)
    {
        var values = partitions.NewWrite(capacity: 4 * records.Count);
        foreach (var (result, storedAt) in records)
        {
            values.Add(Names.Encode(result.Id));
            values.Add(Names.Encode(result.AgentId));
            values.Add(ResultValue.Write(result));
            values.Add(storedAt);
        }

        return partitions.Write(ImportScript, partition, values, cancellation);
    }
}
