namespace Dbos.Infrastructure.Store;

/// <summary>The orders of index entries over all partitions, as the engines keep them within one.</summary>
public static class Orders
{
    public static int Lowest(IndexEntry left, IndexEntry right)
    {
        var byScore = left.Score.CompareTo(right.Score);
        return byScore != 0 ? byScore : Utf8Order.Compare(left.Member, right.Member);
    }

    public static int Highest(IndexEntry left, IndexEntry right) => Lowest(right, left);

    /// <summary>
    /// The score of what is listed newest first. In microseconds, as one caller's writes, one after the other,
    /// do share a millisecond.
    /// </summary>
    public static long Recency(DateTimeOffset written) =>
        (written - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
}
