namespace Dbos.Infrastructure.Store;

/// <summary>Scores that sort by a band first, then by a time: both fit into the 53 bits that every engine keeps exactly.</summary>
public static class Bands
{
    public const int Count = 10;

    /// <summary>Holds Unix milliseconds up to the year 9999.</summary>
    public const long Width = 1L << 48;

    public static long Score(int band, long due) => (band * Width) + due;

    public static int BandOf(long score) => (int)(score / Width);

    public static long DueOf(long score) => score % Width;
}

/// <summary>A lane has something due, now or soon.</summary>
/// <param name="LaneName">Empty: any lane may have.</param>
/// <param name="Due">Unix milliseconds.</param>
public readonly record struct Turn(string LaneName, long Due)
{
    public bool IsOfAnyLane => LaneName.Length == 0;

    /// <summary>Turns nearer than this are told when they come; those farther off are seen by a probe before they are due.</summary>
    public static readonly TimeSpan Horizon = TimeSpan.FromSeconds(3);
}

/// <summary>What the store tells of its own accord.</summary>
public interface IStoreWatcher
{
    /// <summary>A lane that had nothing due has, or will have soon; or any lane may have.</summary>
    void Due(Turn turn);

    /// <summary>A lease of this process's takes has ended. May be reported late, and more than once.</summary>
    void Ended(string taskId, long leaseToken);

    /// <summary>Something may have been missed.</summary>
    void Missed();

    /// <summary>Somebody waits for a turn to be told.</summary>
    bool IsWaitedOn { get; }
}
