using System.Globalization;
using Dbos.Application.Paging;
using Dbos.Domain.Results;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Store;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis.Results;

/// <summary>Reads results of all partitions, latest stored first, a slice of each partition ahead.</summary>
/// <param name="agentId">Empty: of all agents.</param>
/// <param name="after">The last one that was read before; null: none.</param>
/// <param name="limit">How many will be read at most.</param>
internal sealed class ResultReader(RedisPartitions partitions, string agentId, ResultPlace? after, int limit)
{
    private const int ItemsOfOneScript = 100;
    private const int FewestItems = 4;

    private static readonly Script Script = new("list_results");

    private readonly Source[] sources = [.. partitions.All.Select(number => new Source(number) { From = FromOf(number, after) })];
    private Source? latest;
    private int done;

    /// <summary>The next one; null: there is none.</summary>
    public async ValueTask<ReadResult?> Peek(CancellationToken cancellation)
    {
        if (latest is null)
        {
            while (sources.Any(source => source is { Ahead.Count: 0, HasMore: true }))
            {
                await Task.WhenAll(sources.Where(source => source is { Ahead.Count: 0, HasMore: true }).Select(source => ReadOn(source, cancellation)));
            }

            latest = sources.Where(source => source.Ahead.Count > 0).MaxBy(source => source.Ahead.Peek().Place);
        }

        return latest?.Ahead.Peek();
    }

    public void MoveOn()
    {
        latest!.Ahead.Dequeue();
        latest = null;
        done++;
    }

    /// <summary>Where a partition begins, in the manner of XREVRANGE.</summary>
    private static string FromOf(int partition, ResultPlace? after) => after switch
    {
        null => "+",
        { } last => string.Create(CultureInfo.InvariantCulture, $"{(partition < last.Partition ? string.Empty : "(")}{last.Milliseconds}-{last.Number}"),
    };

    private async Task ReadOn(Source source, CancellationToken cancellation)
    {
        var share = (2 * (limit - done) / sources.Length) + FewestItems;
        var most = Math.Clamp(share, FewestItems, ItemsOfOneScript);
        RedisValue[] values = [Names.Encode(agentId), source.From, most, PageRequest.MostBytes / sources.Length];
        var answer = (RedisResult[])(await partitions.Read(Script, source.Partition, values, cancellation, cost: StorePermits.CostOfUpTo(most)))!;
        source.HasMore = (int)answer[0] == 1;
        for (var i = 1; i < answer.Length; i += 3)
        {
            var value = (byte[])answer[i + 2]!;
            var place = ResultPlace.Parse((string)answer[i]!, source.Partition);
            source.Ahead.Enqueue(new ReadResult(place, ResultValue.Read(Names.Decode((string)answer[i + 1]!), value), value.Length));
            source.From = $"({(string)answer[i]!}";
        }
    }

    private sealed class Source(int partition)
    {
        public int Partition => partition;

        public required string From { get; set; }

        public bool HasMore { get; set; } = true;

        public Queue<ReadResult> Ahead { get; } = [];
    }
}

/// <param name="Bytes">Of its value.</param>
internal sealed record ReadResult(ResultPlace Place, MeasurementResult Result, int Bytes);

/// <summary>The order of results: the place in their partition's stream, and within one millisecond and number the partition.</summary>
internal readonly record struct ResultPlace(long Milliseconds, long Number, int Partition) : IComparable<ResultPlace>
{
    private const int NumbersOfOneMillisecond = 1_000;

    public long Microseconds => (Milliseconds * NumbersOfOneMillisecond) + Math.Min(Number, NumbersOfOneMillisecond - 1);

    /// <param name="id">Of an entry of a stream.</param>
    public static ResultPlace Parse(string id, int partition)
    {
        var dash = id.IndexOf('-', StringComparison.Ordinal);
        return new ResultPlace(
            long.Parse(id.AsSpan(0, dash), CultureInfo.InvariantCulture), long.Parse(id.AsSpan(dash + 1), CultureInfo.InvariantCulture), partition);
    }

    /// <summary>A cursor that this store did not make is taken by its score alone.</summary>
    public static ResultPlace? Of(PageCursor? cursor) => cursor is null ? null
        : cursor.Member.Split('-') is [var number, var partition]
            && long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var parsedNumber)
            && int.TryParse(partition, NumberStyles.None, CultureInfo.InvariantCulture, out var parsedPartition)
        ? new ResultPlace(cursor.Score, parsedNumber, parsedPartition)
        : new ResultPlace(cursor.Score, 0, 0);

    public PageCursor ToCursor() => new(Milliseconds, string.Create(CultureInfo.InvariantCulture, $"{Number}-{Partition}"));

    public int CompareTo(ResultPlace other) => (Milliseconds, Number, Partition).CompareTo((other.Milliseconds, other.Number, other.Partition));
}
