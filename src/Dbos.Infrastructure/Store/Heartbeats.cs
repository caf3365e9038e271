using System.Collections.Immutable;
using Dbos.Domain.Tasks;

namespace Dbos.Infrastructure.Store;

/// <summary>
/// What the store's last probe told, a second ago at the most: whether writes succeed, and which deadlines may
/// have passed. So nothing else has to ask an idle store anything.
/// </summary>
public sealed class Heartbeats(TimeProvider clock)
{
    /// <summary>All indexes of deadlines that are swept.</summary>
    public static readonly ImmutableArray<string> Deadlines =
    [
        Names.AgentDeadlines,
        .. new[] { MeasurementTaskStatus.Inflight, MeasurementTaskStatus.Completed, MeasurementTaskStatus.Cancelled }
            .Select(status => Names.Tasks(status.Word())),
    ];

    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(2.5);

    private Beat? last;

    /// <summary>The last probe succeeded, in a part of the store at least, and not long ago.</summary>
    public bool IsBeating => Latest is not null;

    /// <summary>How many partitions did not answer it; null: nothing did.</summary>
    public int? PartitionsAway => Latest is { } pulse ? pulse.Away?.Numbers.Count ?? 0 : null;

    private Pulse? Latest => Volatile.Read(ref last) is { } beat && IsFresh(beat) ? beat.Pulse : null;

    /// <param name="pulse">Null: the probe failed.</param>
    public void Hear(Pulse? pulse) => Volatile.Write(ref last, new Beat(pulse, clock.GetTimestamp()));

    /// <summary>Whether it is worth looking for entries up to an instant. True where nothing is known.</summary>
    public bool MayHavePassed(string deadlines, DateTimeOffset upTo)
    {
        var at = Deadlines.IndexOf(deadlines);
        return at < 0
            || Latest is not { } pulse
            || pulse.Earliest[at] <= upTo.ToUnixTimeMilliseconds();
    }

    private bool IsFresh(Beat beat) => clock.GetElapsedTime(beat.At) < Fresh;

    private sealed record Beat(Pulse? Pulse, long At);
}
