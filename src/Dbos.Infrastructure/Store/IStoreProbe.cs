using Dbos.Application;

namespace Dbos.Infrastructure.Store;

/// <summary>What an engine is asked once a second, and what it publishes of its own accord.</summary>
public interface IStoreProbe
{
    /// <summary>Writes something for real, and looks what is due next. Returns only if writes succeed now.</summary>
    /// <exception cref="StoreUnavailableException">They do not.</exception>
    Task<Pulse> Probe(Watch watch, CancellationToken cancellation);

    /// <summary>Bytes that all of the store takes up, in memory or on disk.</summary>
    /// <exception cref="StoreUnavailableException">The store does not answer.</exception>
    Task<long> Bytes(CancellationToken cancellation);

    /// <summary>From now on the watcher receives what is published. To be called before the store is opened.</summary>
    void Tell(IStoreWatcher watcher);
}

/// <summary>What a probe looks at.</summary>
/// <param name="Deadlines">Names of what has deadlines (<see cref="Heartbeats.Deadlines"/>).</param>
/// <param name="From">Unix milliseconds; tasks due after this are answered.</param>
/// <param name="UpTo">Unix milliseconds; tasks due after this are not answered yet.</param>
public sealed record Watch(IReadOnlyList<string> Deadlines, long From, long UpTo)
{
    /// <summary>So many tasks are answered of each priority of a partition, the earliest.</summary>
    public int MostOfABand { get; init; } = 1_000;
}

/// <param name="Earliest">The earliest of each kind of deadline over all partitions, Unix milliseconds; null: there is none.</param>
public sealed record Pulse(IReadOnlyList<long?> Earliest, IReadOnlyList<Turn> Turns)
{
    /// <summary>Unix milliseconds: of the tasks that are due then or later some were too many to be answered. Null: all were.</summary>
    public long? CutAt { get; init; }

    /// <summary>Something that was published before may not have been received.</summary>
    public bool MayHaveMissed { get; init; }

    /// <summary>What lives on servers that did not answer, of which this says nothing; null: all have answered.</summary>
    public AwayPartitions? Away { get; init; }
}

/// <param name="Why">Of one of them.</param>
public sealed record AwayPartitions(IReadOnlyList<int> Numbers, StoreUnavailableException Why);
