using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Infrastructure.Events;

namespace Dbos.Infrastructure.Store;

/// <summary>The records of one kind of aggregate: turned into documents and back, saved, found and listed.</summary>
/// <param name="payload">The bytes that are kept beside the document; null: none.</param>
/// <param name="rehydrate">Puts back what is kept beside the document.</param>
public sealed class Records<T>(
    IStore store, EventWriter events, Func<T, StoredRecord, T> rehydrate, Func<T, ReadOnlyMemory<byte>>? payload = null)
    where T : class, IVersioned
{
    private const int FirstRead = 8;
    private const int MostReadAtOnce = 1_000;

    private readonly JsonTypeInfo<T> json = Documents.Of<T>();

    public async Task<T?> Find(StoreKey key, CancellationToken cancellation) =>
        await store.Find(key, cancellation) is { } record ? Decode(record) : null;

    public T Decode(StoredRecord record) =>
        rehydrate(JsonSerializer.Deserialize(record.Document.Span, json)!, record);

    /// <summary>Commits the aggregate over the version it was decided on, with all that the unit of work holds.</summary>
    public async Task<Saved<T>> Save(
        T next,
        StoreKey key,
        UnitOfWork work,
        IReadOnlyList<IndexChange> indexes,
        CancellationToken cancellation,
        bool endsLease = false,
        TimeSpan? lifetime = null)
    {
        var commit = new Commit(key.Partition, key.Name, next.Version - 1, JsonSerializer.SerializeToUtf8Bytes(next, json))
        {
            Payload = next.Version == 1 ? payload?.Invoke(next) : null,
            Lifetime = lifetime,
            EndsLease = endsLease,
            Mark = work.Mark is { } mark
                ? new Mark(Names.Mark(mark.Name), MarkValue.Write(next.Version, mark.Content), IdempotencyMark.Lifetime)
                : null,
            Indexes = indexes,
            Events = [.. work.Events.Select(told => events.Write(told, work.Origin))],
        };
        return await store.Commit(commit, cancellation) switch
        {
            CommitOutcome.Done => new Saved<T>.Done(commit.NextVersion),
            CommitOutcome.Marked marked => new Saved<T>.Replayed(MarkValue.Read(marked.Value.Span, work.Mark!.Content)),
            CommitOutcome.Conflict { Found: { } found } => new Saved<T>.Conflict(Decode(found)),
            CommitOutcome.Conflict => new Saved<T>.Conflict(null),
            var unknown => throw new InvalidOperationException($"unknown outcome of a commit: {unknown}"),
        };
    }

    /// <summary>The records whose deadline, their score in the index, has passed: the earliest first.</summary>
    public async Task<IReadOnlyList<T>> Overdue(
        string index, DateTimeOffset now, int limit, Func<string, string> recordOf, CancellationToken cancellation)
    {
        var overdue = await PartitionMerge.First(
            store.AllPartitions(),
            limit,
            Orders.Lowest,
            (partition, count) => store.Lowest(new StoreKey(partition, index), now.ToUnixTimeMilliseconds(), count, cancellation));
        var found = await Task.WhenAll(overdue.Items.Select(
            entry => Find(new StoreKey(entry.Partition, recordOf(entry.Member)), cancellation)));
        return [.. found.OfType<T>()];
    }

    /// <summary>One page of records, in the order of their index, that fits into one reply.</summary>
    public async Task<Page<T>> List(
        IReadOnlyList<int> partitions,
        Comparison<IndexEntry> order,
        Func<int, int, Task<IReadOnlyList<IndexEntry>>> readIndex,
        Func<string, string> recordOf,
        PageRequest page,
        CancellationToken cancellation)
    {
        var entries = (await PartitionMerge.First(partitions, page.Limit + 1, order, readIndex)).Items;
        var items = new List<T>();
        long bytes = 0;
        var atOnce = FirstRead;
        var done = 0;
        while (done < entries.Count && done < page.Limit)
        {
            var some = entries.Skip(done).Take(Math.Min(atOnce, page.Limit - done)).ToArray();
            var records = await Task.WhenAll(some.Select(
                entry => store.Find(new StoreKey(entry.Partition, recordOf(entry.Member)), cancellation)));
            foreach (var record in records)
            {
                bytes += record is null ? 0 : record.Document.Length + record.Payload.Length;
                if (bytes > PageRequest.MostBytes && items.Count > 0)
                {
                    return new Page<T>(items, CursorAt(entries[done - 1]));
                }

                if (record is not null)
                {
                    items.Add(Decode(record));
                }

                done++;
            }

            // What was read so far tells how many more will fit: few when records are large.
            var each = Math.Max(1, bytes / done);
            atOnce = (int)Math.Clamp((PageRequest.MostBytes - bytes) / each, 1, MostReadAtOnce);
        }

        return new Page<T>(items, done < entries.Count ? CursorAt(entries[done - 1]) : null);
    }

    private static PageCursor CursorAt(IndexEntry entry) => new(entry.Score, entry.Member);
}
