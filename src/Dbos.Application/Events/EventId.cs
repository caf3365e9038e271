using System.Globalization;

namespace Dbos.Application.Events;

/// <summary>The position of an entry in one stream of the event log. Positions grow with each entry, whatever becomes of the clock.</summary>
/// <param name="Milliseconds">Unix time of the commit, or that of the entry before it if the clock was set back.</param>
/// <param name="Sequence">Distinguishes entries of the same millisecond.</param>
public readonly record struct StreamPosition(long Milliseconds, long Sequence)
{
    public bool IsAfter(StreamPosition other) =>
        Milliseconds > other.Milliseconds || (Milliseconds == other.Milliseconds && Sequence > other.Sequence);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Milliseconds}-{Sequence}");

    /// <summary>Null: the text is no position.</summary>
    public static StreamPosition? Parse(ReadOnlySpan<char> text)
    {
        var dash = text.IndexOf('-');
        return dash > 0 && IsNumber(text[..dash], out var milliseconds) && IsNumber(text[(dash + 1)..], out var sequence)
            ? new StreamPosition(milliseconds, sequence)
            : null;
    }

    private static bool IsNumber(ReadOnlySpan<char> text, out long number) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}

/// <summary>The id of an event: milliseconds-sequence-partition-stream, as two streams may give the same first two.</summary>
/// <param name="Stream">0: the history; 1: refused writes.</param>
public readonly record struct EventId(StreamPosition Position, int Partition, int Stream)
{
    /// <summary>Sorts events by their time, and those of one stream in the order of their commits. As text ids do not sort.</summary>
    public (long, long, int, int) Order => (Position.Milliseconds, Position.Sequence, Partition, Stream);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Position}-{Partition}-{Stream}");

    /// <summary>Null: the text is no event's id.</summary>
    public static EventId? Parse(string text)
    {
        var parts = text.Split('-');
        return parts.Length == 4
            && StreamPosition.Parse($"{parts[0]}-{parts[1]}") is { } position
            && int.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out var partition)
            && parts[3] is "0" or "1"
                ? new EventId(position, partition, parts[3][0] - '0')
                : null;
    }
}
