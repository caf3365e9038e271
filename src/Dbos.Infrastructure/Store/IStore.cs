using System.Net;
using Dbos.Application;
using Dbos.Application.Paging;

namespace Dbos.Infrastructure.Store;

/// <summary>
/// The port that both engines implement and all repositories are written over. What is not atomic here
/// cannot be asked for. Every method throws <see cref="StoreUnavailableException"/> when the
/// store does not answer.
/// </summary>
public interface IStore
{
    /// <summary>Everything that one commit touches lies in one of these.</summary>
    int Partitions { get; }

    /// <summary>Who is to be asked for a partition, be it there or not; null: nobody is known, or it is in this process.</summary>
    EndPoint? ServerOf(int partition);

    /// <summary>
    /// Commits of one partition, in one go: of each all, or nothing of it and what stood in its way. The
    /// outcomes are in the order of the commits.
    /// </summary>
    Task<IReadOnlyList<CommitOutcome>> Commit(IReadOnlyList<Commit> commits, CancellationToken cancellation);

    /// <summary>
    /// Moves members of lanes, of those that are still in them and due, to the indexes of what is held, and
    /// counts the delivery in their records.
    /// </summary>
    Task<IReadOnlyList<Delivery>> Take(Take take, CancellationToken cancellation);

    /// <summary>Null: there is none.</summary>
    Task<StoredRecord?> Find(StoreKey record, CancellationToken cancellation);

    /// <summary>Likewise, without its payload, however large that is.</summary>
    Task<StoredRecord?> FindBare(StoreKey record, CancellationToken cancellation);

    /// <summary>A mark with what is left of its lifetime; null: it was not set, or its lifetime is over.</summary>
    Task<Mark?> FindMark(StoreKey mark, CancellationToken cancellation);

    /// <summary>Entries above the cursor and up to a score, lowest (score, member) first.</summary>
    Task<IReadOnlyList<IndexEntry>> Lowest(
        StoreKey index, PageCursor? above, long upTo, int count, CancellationToken cancellation);

    /// <summary>Entries below the cursor, highest (score, member) first.</summary>
    Task<IReadOnlyList<IndexEntry>> Highest(StoreKey index, PageCursor? below, int count, CancellationToken cancellation);

    /// <summary>Members after the given one, in the order of their UTF-8 bytes; all scores of the index are 0.</summary>
    Task<IReadOnlyList<IndexEntry>> ByMember(StoreKey index, string? after, int count, CancellationToken cancellation);

    /// <summary>Entries of a banded index that are due, lowest first.</summary>
    /// <param name="upTo">Unix milliseconds.</param>
    Task<IReadOnlyList<IndexEntry>> Due(StoreKey index, long upTo, int count, CancellationToken cancellation);

    /// <summary>Of each of these bands the entries that are due, lowest first; the bands' order is the answers'.</summary>
    /// <param name="upTo">Unix milliseconds.</param>
    /// <param name="count">Of each band.</param>
    Task<IReadOnlyList<IReadOnlyList<IndexEntry>>> Heads(
        int partition, IReadOnlyList<IndexBand> bands, long upTo, int count, CancellationToken cancellation);

    Task<long?> Score(StoreKey index, string member, CancellationToken cancellation);

    Task<long> CountEntries(StoreKey index, CancellationToken cancellation);

    /// <summary>What was counted so far, by name; of one <see cref="CountBuckets"/> bucket, or over all time.</summary>
    Task<IReadOnlyDictionary<string, long>> Counts(int partition, long? bucket, CancellationToken cancellation);

    /// <summary>What all that the store keeps takes up, in memory or on disk, wherever it is kept.</summary>
    Task<long> Bytes(CancellationToken cancellation);

    /// <summary>
    /// A slice of all the names in the store that begin so, in no order, some perhaps twice; for audits and exports
    /// alone, as it goes through the whole store.
    /// </summary>
    /// <param name="cursor">Of the slice before; null: from the start.</param>
    Task<NameSlice> Names(IReadOnlyList<string> prefixes, string? cursor, CancellationToken cancellation);

    /// <summary>Puts back what was exported; for imports alone, into a store that has nothing of it yet.</summary>
    Task Restore(Restoration restoration, CancellationToken cancellation);

    /// <summary>Writes something for real, and looks what is due next. Returns only if writes succeed now.</summary>
    Task<Pulse> Probe(Watch watch, CancellationToken cancellation);

    /// <summary>From now on the watcher is told.</summary>
    void Tell(IStoreWatcher watcher);
}

/// <param name="Cursor">Of the next slice; null: this was the last.</param>
public sealed record NameSlice(IReadOnlyList<StoreKey> Names, string? Cursor);

/// <summary>What a probe looks at.</summary>
/// <param name="Deadlines">Indexes whose scores are instants.</param>
/// <param name="Turns">An index of turns.</param>
/// <param name="From">Unix milliseconds; turns due after this are told.</param>
/// <param name="UpTo">Unix milliseconds; turns due after this are not told yet.</param>
public sealed record Watch(IReadOnlyList<string> Deadlines, string Turns, long From, long UpTo)
{
    /// <summary>So many turns are told of each band of a partition, the earliest.</summary>
    public int MostOfABand { get; init; } = 1_000;
}

/// <param name="Earliest">The lowest score of each deadline index over all partitions; null: it is empty.</param>
public sealed record Pulse(IReadOnlyList<long?> Earliest, IReadOnlyList<Turn> Turns)
{
    /// <summary>Unix milliseconds: of the turns that are due then or later some were too many to be told. Null: all were told.</summary>
    public long? CutAt { get; init; }

    /// <summary>Something that was told before may not have been heard.</summary>
    public bool MayHaveMissed { get; init; }

    /// <summary>What lives on servers that did not answer, of which this tells nothing; null: all have answered.</summary>
    public AwayPartitions? Away { get; init; }
}

/// <param name="Why">Of one of them.</param>
public sealed record AwayPartitions(IReadOnlyList<int> Numbers, StoreUnavailableException Why);

/// <summary>Counts are kept over all time and, for a while, in buckets of time, from which rates are told.</summary>
public static class CountBuckets
{
    public static readonly TimeSpan Length = TimeSpan.FromSeconds(10);
    public static readonly TimeSpan Kept = TimeSpan.FromMinutes(3);

    public static long Of(DateTimeOffset instant) => instant.ToUnixTimeSeconds() / (long)Length.TotalSeconds;
}
