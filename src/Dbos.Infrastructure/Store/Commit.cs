namespace Dbos.Infrastructure.Store;

/// <summary>A name within one partition.</summary>
public readonly record struct StoreKey(int Partition, string Name);

/// <summary>A record as it stands in the store.</summary>
/// <param name="Version">Grows by one with each commit and each delivery.</param>
/// <param name="Deliveries">How often it was taken.</param>
/// <param name="LeasedUntil">Null: nobody holds it.</param>
public sealed record StoredRecord(
    long Version,
    ReadOnlyMemory<byte> Document,
    ReadOnlyMemory<byte> Payload,
    long Deliveries,
    DateTimeOffset? LeasedUntil);

/// <summary>One record's next version, with its index entries, its idempotency mark and its events.</summary>
/// <param name="ExpectedVersion">The guard: what must be stored now; 0: nothing.</param>
public sealed record Commit(int Partition, string Record, long ExpectedVersion, ReadOnlyMemory<byte> Document)
{
    /// <summary>Opaque bytes beside the document; null: as they are.</summary>
    public ReadOnlyMemory<byte>? Payload { get; init; }

    /// <summary>The record goes; the rest of the commit is done all the same.</summary>
    public bool Deletes { get; init; }

    public LeaseChange Lease { get; init; }

    public Mark? Mark { get; init; }

    public IReadOnlyList<IndexChange> Indexes { get; init; } = [];

    public IReadOnlyList<LaneChange> Lanes { get; init; } = [];

    public IReadOnlyList<ReadOnlyMemory<byte>> Events { get; init; } = [];

    /// <summary>What is counted, once for each name.</summary>
    public IReadOnlyList<string> Counts { get; init; } = [];

    public long NextVersion => ExpectedVersion + 1;

    /// <summary>
    /// What became of a commit that may have been done before it was sent again; null: nobody can tell. An equal one, by another
    /// caller at the same moment, leaves the same: then both were done as one.
    /// </summary>
    /// <param name="again">What it was answered when it was sent again.</param>
    public CommitOutcome? Recognize(CommitOutcome again) => again switch
    {
        CommitOutcome.Marked { Value: var value } => value.Span.SequenceEqual(Mark!.Value.Span) ? CommitOutcome.Done.Instance : again,

        // Its mark would be there.
        CommitOutcome.Conflict when Mark is not null => again,
        CommitOutcome.Conflict { Found: null } => Deletes ? CommitOutcome.Done.Instance : null,

        // Each version is made by one commit or one take: this one by another, if it is not what this commit makes.
        CommitOutcome.Conflict { Found: { } found } when found.Version == NextVersion =>
            !Deletes && found.Document.Span.SequenceEqual(Document.Span) ? CommitOutcome.Done.Instance : again,
        CommitOutcome.Conflict => null,
        _ => again,
    };
}

/// <summary>What becomes of a record's lease.</summary>
public readonly record struct LeaseChange
{
    /// <summary>The record is held by nobody from now on, and its holder is told.</summary>
    public static readonly LeaseChange Ends = new() { IsChange = true };

    public bool IsChange { get; private init; }

    public DateTimeOffset? HeldUntil { get; private init; }

    public static LeaseChange Until(DateTimeOffset instant) => new() { IsChange = true, HeldUntil = instant };
}

/// <summary>A second guard: the commit is refused while a mark of this name lives.</summary>
public sealed record Mark(string Name, ReadOnlyMemory<byte> Value, TimeSpan Lifetime);

/// <param name="Score">Null: take the member out.</param>
public readonly record struct IndexChange(string Index, string Member, long? Score);

public readonly record struct IndexEntry(int Partition, string Member, long Score);

/// <summary>What became of a commit.</summary>
public abstract record CommitOutcome
{
    private CommitOutcome()
    {
    }

    public sealed record Done : CommitOutcome
    {
        public static readonly Done Instance = new();
    }

    /// <summary>The mark was there already: its value.</summary>
    public sealed record Marked(ReadOnlyMemory<byte> Value) : CommitOutcome;

    /// <summary>The record was not at the expected version: what is there; null: nothing.</summary>
    public sealed record Conflict(StoredRecord? Found) : CommitOutcome;
}
