using Dbos.Application.Paging;

namespace Dbos.Infrastructure.Store;

/// <summary>
/// The port that both engines implement and all repositories are written over. What is not atomic here
/// cannot be asked for. Every method throws <see cref="Application.StoreUnavailableException"/> when the
/// store does not answer.
/// </summary>
public interface IStore
{
    /// <summary>Everything that one commit touches lies in one of these.</summary>
    int Partitions { get; }

    /// <summary>All of the commit, or nothing of it and what stood in its way.</summary>
    Task<CommitOutcome> Commit(Commit commit, CancellationToken cancellation);

    /// <summary>
    /// Moves members of one index, of those that are still in it and due, to the index of leases, and counts
    /// the delivery in their records.
    /// </summary>
    Task<IReadOnlyList<Delivery>> Take(Take take, CancellationToken cancellation);

    /// <summary>Null: there is none, or its lifetime is over.</summary>
    Task<StoredRecord?> Find(StoreKey record, CancellationToken cancellation);

    /// <summary>The value of a mark; null: it was not set, or its lifetime is over.</summary>
    Task<ReadOnlyMemory<byte>?> FindMark(StoreKey mark, CancellationToken cancellation);

    /// <summary>Entries up to a score, lowest (score, member) first.</summary>
    Task<IReadOnlyList<IndexEntry>> Lowest(StoreKey index, long upTo, int count, CancellationToken cancellation);

    /// <summary>Entries below the cursor, highest (score, member) first.</summary>
    Task<IReadOnlyList<IndexEntry>> Highest(StoreKey index, PageCursor? below, int count, CancellationToken cancellation);

    /// <summary>Members after the given one, in the order of their UTF-8 bytes; all scores of the index are 0.</summary>
    Task<IReadOnlyList<IndexEntry>> ByMember(StoreKey index, string? after, int count, CancellationToken cancellation);

    /// <summary>Adds an event to a log, apart from any commit.</summary>
    Task Append(int partition, EventLogName log, ReadOnlyMemory<byte> told, CancellationToken cancellation);

    /// <summary>The newest events of a log, newest first.</summary>
    Task<IReadOnlyList<ReadOnlyMemory<byte>>> NewestEvents(
        int partition, EventLogName log, int count, CancellationToken cancellation);

    /// <summary>Writes something for real. Returns only if writes succeed now.</summary>
    Task Probe(CancellationToken cancellation);
}

/// <summary>The two event logs of a partition, each under its own cap.</summary>
public enum EventLogName
{
    History,
    Refusals,
}
