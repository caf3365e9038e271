namespace Dbos.Infrastructure.Store;

/// <summary>Which members are to be taken from lanes of one partition, and for how long.</summary>
/// <param name="Candidates">In the order in which they are wanted; those that another taker got are passed over.</param>
/// <param name="Due">Unix milliseconds.</param>
/// <param name="ServedAt">Unix milliseconds; what is left in the lanes stands behind all that was due before.</param>
/// <param name="Lease">From now by the store's own clock.</param>
/// <param name="ByteBudget">Taking stops before the payloads taken exceed it.</param>
/// <param name="AtLeastOne">The first is taken even if it alone exceeds the budget.</param>
/// <param name="Told">The event of this delivery.</param>
/// <param name="Count">What each delivery is counted as.</param>
/// <param name="TellsEnd">This process is told when a lease ends.</param>
public sealed record Take(
    int Partition,
    IReadOnlyList<Candidate> Candidates,
    long Due,
    long ServedAt,
    TimeSpan Lease,
    int Limit,
    int ByteBudget,
    bool AtLeastOne,
    TakeEvent Told,
    string Count,
    bool TellsEnd);

public readonly record struct Candidate(string Member, string Record, TakeSource Source);

/// <summary>A band of a lane, and the plain indexes that its members leave and enter when they are taken.</summary>
/// <param name="Owner">Whose members they are, as the event tells; empty: nobody's.</param>
/// <param name="Leaves">Beside the lane itself.</param>
/// <param name="Enters">The score is when the lease expires, in Unix milliseconds.</param>
public sealed record TakeSource(Lane Lane, int Band, string Owner, IReadOnlyList<string> Leaves, IReadOnlyList<string> Enters);

/// <summary>
/// An event of which only the take itself knows two parts. Between head and middle: a JSON object of each member taken to
/// the number of its delivery; between middle and tail: a JSON array of those whose members they were.
/// </summary>
public readonly record struct TakeEvent(ReadOnlyMemory<byte> Head, ReadOnlyMemory<byte> Middle, ReadOnlyMemory<byte> Tail);

/// <param name="Score">That the member had in its lane.</param>
public sealed record Delivery(string Member, long Score, StoredRecord Record);
