namespace Dbos.Infrastructure.Store;

/// <summary>Parts of one partition as they were in another store. Nothing is told, trimmed or counted for them.</summary>
public sealed record Restoration(int Partition)
{
    public IReadOnlyList<RestoredRecord> Records { get; init; } = [];

    public IReadOnlyList<Mark> Marks { get; init; } = [];

    /// <summary>Over all time, added to what is counted already.</summary>
    public IReadOnlyList<(string Name, long Amount)> Counts { get; init; } = [];
}

public sealed record RestoredRecord(
    string Name, StoredRecord Record, IReadOnlyList<IndexChange> Indexes, IReadOnlyList<LaneChange> Lanes);
