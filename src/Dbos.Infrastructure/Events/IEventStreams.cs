using Dbos.Application;
using Dbos.Application.Events;

namespace Dbos.Infrastructure.Events;

/// <summary>
/// The event log as an engine keeps it: streams of entries in the order of their commits, each under a cap of its own. What exceeds
/// the cap is trimmed from the old end. Every method throws <see cref="StoreUnavailableException"/> when the store does not answer.
/// </summary>
public interface IEventStreams
{
    int Partitions { get; }

    /// <summary>The partition of an id's record.</summary>
    int PartitionOf(string id);

    /// <summary>Made at the store's first start and at each import: positions of another generation mean nothing in this one.</summary>
    Task<string> Generation(CancellationToken cancellation);

    /// <summary>Up to so many entries of which the first is the newest at or before a position, newest first.</summary>
    /// <param name="from">Null: from the newest.</param>
    Task<IReadOnlyList<StoredEvent>> Backward(EventStreamKey stream, StreamPosition? from, int count, CancellationToken cancellation);

    /// <summary>Up to so many entries of which the first is the oldest at or after a position, oldest first.</summary>
    /// <param name="from">Null: from the oldest.</param>
    Task<IReadOnlyList<StoredEvent>> Forward(EventStreamKey stream, StreamPosition? from, int count, CancellationToken cancellation);

    /// <summary>The newest entry that was committed before an instant; null: none is kept.</summary>
    /// <param name="milliseconds">Unix time.</param>
    Task<StreamPosition?> LastBefore(EventStreamKey stream, long milliseconds, CancellationToken cancellation);

    /// <summary>Of a stream that has entries: whether it may have had older ones.</summary>
    Task<bool> MayBeTrimmed(EventStreamKey stream, CancellationToken cancellation);

    Task<long> Length(EventStreamKey stream, CancellationToken cancellation);

    /// <summary>Adds a refused write to the refusals of a partition.</summary>
    /// <param name="body">As <see cref="EventWriter.Body"/> makes it.</param>
    Task LogRefusal(int partition, ReadOnlyMemory<byte> body, CancellationToken cancellation);

    /// <summary>Adds events with times of their own behind those that the stream has, and trims nothing. For imports alone.</summary>
    /// <param name="events">JSON without ids, oldest first.</param>
    Task Import(EventStreamKey stream, IReadOnlyList<ReadOnlyMemory<byte>> events, CancellationToken cancellation);
}

/// <summary>One stream of the event log.</summary>
public readonly record struct EventStreamKey(int Partition, EventLogName Log)
{
    /// <summary>All streams of a store, in the order of the positions in a place.</summary>
    public static IReadOnlyList<EventStreamKey> All(int partitions) => [.. Enumerable.Range(0, partitions).SelectMany(Of)];

    public static IReadOnlyList<EventStreamKey> Of(int partition) => [new(partition, EventLogName.History), new(partition, EventLogName.Refusals)];

    public EventId IdAt(StreamPosition position) => new(position, Partition, (int)Log);
}

/// <param name="Json">Without the id, which is the entry's position.</param>
public readonly record struct StoredEvent(StreamPosition Position, ReadOnlyMemory<byte> Json);

/// <summary>The two event logs of a partition, each under its own cap.</summary>
public enum EventLogName
{
    History,
    Refusals,
}
