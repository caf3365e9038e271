namespace Dbos.Infrastructure.Store;

/// <summary>Which members are to be taken from an index, and for how long.</summary>
/// <param name="From">The index of what waits; the score is when it is due, in Unix milliseconds.</param>
/// <param name="To">The index of what is held; the score is when the lease expires, in Unix milliseconds.</param>
/// <param name="Candidates">In the order in which they are wanted; those that another taker got are passed over.</param>
/// <param name="Due">Unix milliseconds.</param>
/// <param name="Lease">From now by the store's own clock.</param>
/// <param name="ByteBudget">Taking stops before the payloads taken exceed it.</param>
/// <param name="AtLeastOne">The first is taken even if it alone exceeds the budget.</param>
/// <param name="Told">The event of this delivery.</param>
public sealed record Take(
    int Partition,
    string From,
    string To,
    IReadOnlyList<Candidate> Candidates,
    long Due,
    TimeSpan Lease,
    int Limit,
    int ByteBudget,
    bool AtLeastOne,
    TakeEvent Told);

public readonly record struct Candidate(string Member, string Record);

/// <summary>
/// An event whose middle only the take itself knows: a JSON object of each member taken to the number of
/// its delivery.
/// </summary>
public readonly record struct TakeEvent(ReadOnlyMemory<byte> Head, ReadOnlyMemory<byte> Tail);

/// <param name="Due">The score that the member had in the index of what waits.</param>
public sealed record Delivery(string Member, long Due, StoredRecord Record);
