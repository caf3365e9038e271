namespace Dbos.Infrastructure.Store;

/// <summary>Whose permits a call to the store takes.</summary>
public enum StoreWork
{
    /// <summary>What a caller changes, and the probe.</summary>
    Write,

    /// <summary>What a caller reads, and checks of consistency.</summary>
    Read,

    /// <summary>What DBOS does by itself: takes and look-ups for streams, and sweeps.</summary>
    Background,
}

/// <summary>
/// How much may be in flight at the store. Reads, writes and background work have permits of their own. An engine answers in the
/// order in which it is asked, so an acknowledgement waits for what was sent before it: reads and background work are sent in small
/// numbers, and the rest of them waits here.
/// </summary>
public sealed class StorePermits
{
    private readonly PermitPool writes = new(Most(StoreWork.Write), mostWaiting: 0);
    private readonly PermitPool reads = new(Most(StoreWork.Read), MostWaiting);
    private readonly PermitPool background = new(Most(StoreWork.Background), MostWaiting);

    private const int MostWaiting = 16_384;

    /// <summary>
    /// A permit stands for a record that is read, about 10 µs of Redis. So what is sent of reads and background work delays a write by
    /// some 20 ms at the most. Writes never wait here: their number is bounded where calls come in, and beyond several times what saturates
    /// one Redis they are refused.
    /// </summary>
    public static int Most(StoreWork work) => work switch
    {
        StoreWork.Write => 16_384,
        StoreWork.Read => 2_048,
        _ => 128,
    };

    /// <summary>Of a script that may find so many items but mostly finds few, or needs little of each.</summary>
    public static int CostOfUpTo(int count) => 1 + (count / 10);

    /// <summary>The same for entries of an index: ten cost about as much as one record.</summary>
    public static int CostOfEntries(int count) => CostOfUpTo(count / 10);

    public PermitPool Of(StoreWork work) => work switch
    {
        StoreWork.Write => writes,
        StoreWork.Read => reads,
        _ => background,
    };
}
