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
    IStore store,
    EventWriter events,
    Heartbeats heartbeats,
    Func<T, StoredRecord, T> rehydrate,
    Func<T, ReadOnlyMemory<byte>>? payload = null)
    where T : class, IVersioned
{
    private const int FirstRead = 8;
    private const int MostReadAtOnce = 1_000;

    private readonly JsonTypeInfo<T> json = Documents.Of<T>();

    public async Task<T?> Find(StoreKey key, CancellationToken cancellation) =>
        await store.Find(key, cancellation) is { } record ? Decode(record) : null;

    /// <summary>Without its payload, which nothing is decided on.</summary>
    public async Task<T?> FindBare(StoreKey key, CancellationToken cancellation) =>
        await store.FindBare(key, cancellation) is { } record ? Decode(record) : null;

    public T Decode(StoredRecord record) =>
        rehydrate(JsonSerializer.Deserialize(record.Document.Span, json)!, record);

    /// <summary>Commits the aggregate over the version it was decided on, with all that the unit of work holds.</summary>
    public async Task<Saved<T>> Save(
        T next,
        StoreKey key,
        CommitContext work,
        IReadOnlyList<IndexChange> indexes,
        CancellationToken cancellation)
    {
        var commit = CommitOf(next, key, work) with { Indexes = indexes };
        return SavedBy((await store.Commit([commit], cancellation))[0], commit, work);
    }

    /// <summary>Many at once, those of one partition in one go; the answers are in the order of the drafts.</summary>
    public async Task<IReadOnlyList<Saved<T>>> Save(
        IReadOnlyList<Draft<T>> drafts, Func<Draft<T>, Commit> commitOf, CancellationToken cancellation)
    {
        var commits = drafts.Select(commitOf).ToArray();
        var saved = new Saved<T>[drafts.Count];
        await Task.WhenAll(Enumerable.Range(0, commits.Length).GroupBy(i => commits[i].Partition).Select(async partition =>
        {
            var outcomes = await store.Commit([.. partition.Select(i => commits[i])], cancellation);
            foreach (var (i, outcome) in partition.Zip(outcomes))
            {
                saved[i] = SavedBy(outcome, commits[i], drafts[i].Work);
            }
        }));
        return saved;
    }

    /// <summary>The aggregate over the version it was decided on, with all that the unit of work holds.</summary>
    public Commit CommitOf(T next, StoreKey key, CommitContext work) =>
        new(key.Partition, key.Name, next.Version - 1, JsonSerializer.SerializeToUtf8Bytes(next, json))
        {
            Payload = next.Version == 1 ? payload?.Invoke(next) : null,
            Mark = work.Mark is { } mark
                ? new Mark(Names.Mark(mark.Name), MarkValue.Write(next.Version, mark.Content), IdempotencyMark.Lifetime)
                : null,
            Events = [.. work.Events.Select(told => events.Write(told, work.Origin))],
        };

    /// <summary>
    /// The records, without payloads, whose deadline, their score in the index, has passed: the earliest first. While some partitions are
    /// away, those of the others.
    /// </summary>
    public async Task<IReadOnlyList<T>> Overdue(
        string index, DateTimeOffset now, int limit, Func<string, string> recordOf, CancellationToken cancellation)
    {
        if (!heartbeats.MayHavePassed(index, now))
        {
            return [];
        }

        var partitions = new AnsweringPartitions(store);
        var overdue = await PartitionMerge.First(
            partitions.Numbers,
            limit,
            Orders.Lowest,
            (partition, count) => partitions.Heard(
                partition,
                store.Lowest(new StoreKey(partition, index), above: null, now.ToUnixTimeMilliseconds(), count, cancellation)));
        if (overdue.Items.Count == 0)
        {
            partitions.DemandAll();
        }

        var found = await Task.WhenAll(overdue.Items.Select(
            entry => FindBare(new StoreKey(entry.Partition, recordOf(entry.Member)), cancellation)));
        return [.. found.OfType<T>()];
    }

    /// <summary>One page of records, in the order of their index, that fits into one reply.</summary>
    /// <param name="bytes">That the reply holds already.</param>
    public async Task<Page<T>> List(
        IReadOnlyList<int> partitions,
        Comparison<IndexEntry> order,
        Func<int, int, Task<IReadOnlyList<IndexEntry>>> readIndex,
        Func<string, string> recordOf,
        PageRequest page,
        CancellationToken cancellation,
        long bytes = 0)
    {
        var entries = (await PartitionMerge.First(partitions, page.Limit + 1, order, readIndex)).Items;
        var items = new List<T>();
        var isBegun = bytes > 0;
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
                if (bytes > PageRequest.MostBytes && (isBegun || items.Count > 0))
                {
                    return new Page<T>(items, done > 0 ? CursorAt(entries[done - 1]) : PageCursor.Start) { Bytes = bytes };
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

        return new Page<T>(items, done < entries.Count ? CursorAt(entries[done - 1]) : null) { Bytes = bytes };
    }

    private Saved<T> SavedBy(CommitOutcome outcome, Commit commit, CommitContext work) => outcome switch
    {
        CommitOutcome.Done => new Saved<T>.Done(commit.NextVersion),
        CommitOutcome.Marked marked => new Saved<T>.Replayed(MarkValue.Read(marked.Value.Span, work.Mark!.Content)),
        CommitOutcome.Conflict { Found: { } found } => new Saved<T>.Conflict(Decode(found)),
        CommitOutcome.Conflict => new Saved<T>.Conflict(null),
        _ => throw new InvalidOperationException($"unknown outcome of a commit: {outcome}"),
    };

    private static PageCursor CursorAt(IndexEntry entry) => new(entry.Score, entry.Member);
}
