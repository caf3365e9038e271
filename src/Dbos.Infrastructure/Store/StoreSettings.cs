namespace Dbos.Infrastructure.Store;

/// <summary>Where and how things are kept.</summary>
public sealed record StoreSettings
{
    public const string Embedded = "embedded";

    /// <summary>A StackExchange.Redis configuration string, or <see cref="Embedded"/>.</summary>
    public required string Address { get; init; }

    /// <summary>Where the embedded store keeps its file.</summary>
    public string DataDirectory { get; init; } = "data";

    /// <summary>Begins every key in Redis.</summary>
    public string KeyPrefix { get; init; } = "dbos";

    /// <summary>Of Redis; the embedded store has one.</summary>
    public int Partitions { get; init; } = 16;

    /// <summary>How many events of the history are kept over all partitions, at least.</summary>
    public int EventRetention { get; init; } = 100_000;

    /// <summary>How many refusals are kept over all partitions, at least.</summary>
    public int RefusalRetention => Math.Max(1, EventRetention / 10);

    /// <summary>The share of a partition in what is kept over all of them, rounded up.</summary>
    public int OfPartition(int overAll) => (overAll + Partitions - 1) / Partitions;

    /// <summary>How many replicas of Redis must have a write before it is acknowledged; 0: none has to.</summary>
    public int Replicas { get; init; }

    public bool IsEmbedded => Address == Embedded;

    /// <summary>The store as a sentence's subject; without the address, which may hold a password.</summary>
    public string Subject => IsEmbedded ? $"the store in {Path.GetFullPath(DataDirectory)}" : $"the store of prefix '{KeyPrefix}'";
}
