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

    /// <summary>Of Redis; the embedded store has one. Null: as many as the store has, and a new one has 1, on Redis Cluster 64.</summary>
    public int? Partitions { get; init; }

    /// <summary>How many events of the history are kept over all partitions, at least.</summary>
    public int EventRetention { get; init; } = 100_000;

    /// <summary>How many refusals are kept over all partitions, at least.</summary>
    public int RefusalRetention => Math.Max(1, EventRetention / 10);

    /// <summary>How many replicas of Redis must have a write before it is acknowledged; 0: none has to.</summary>
    public int Replicas { get; init; }

    public bool IsEmbedded => Address == Embedded;

    /// <summary>The store as a sentence's subject; without the address, which may hold a password.</summary>
    public string Subject => IsEmbedded ? $"the store in {Path.GetFullPath(DataDirectory)}" : $"the store of prefix '{KeyPrefix}'";
}
