using System.Globalization;

namespace Dbos.Infrastructure.Redis.Connection;

/// <summary>
/// Whether what is published arrives here. The client library subscribes again by itself after a break, perhaps on another node
/// and without a word, and may believe in a connection that is dead. So each probe publishes a number to this process alone,
/// and the next one sees whether it came.
/// </summary>
internal sealed class Echo
{
    private long called;
    private long heard;

    /// <summary>True at first: nobody knows when the first subscription came into force.</summary>
    private bool isBroken = true;
    private bool hasMissed;

    /// <summary>What is published may not arrive, until it is seen to.</summary>
    public void Break() => Volatile.Write(ref isBroken, true);

    public void Hear(string number) =>
        Volatile.Write(ref heard, long.Parse(number, NumberStyles.None, CultureInfo.InvariantCulture));

    /// <summary>The number to publish now.</summary>
    public long Call()
    {
        hasMissed |= Interlocked.Exchange(ref isBroken, false) || Volatile.Read(ref heard) != called;
        return ++called;
    }

    /// <summary>Once the call is published: whether something from before it may not have been heard. Says so once.</summary>
    public bool HasMissed()
    {
        (var before, hasMissed) = (hasMissed, false);
        return before;
    }
}
