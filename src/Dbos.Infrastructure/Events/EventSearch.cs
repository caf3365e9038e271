using Dbos.Application.Events;
using Dbos.Application.Paging;

namespace Dbos.Infrastructure.Events;

/// <summary>Merges streams, newest first, and keeps what passes the filter.</summary>
internal sealed class EventSearch(IEventStreams streams, IEnumerable<EventStreamKey> which, EventFilter filter, int limit)
{
    /// <summary>A search costs tens of milliseconds at most, however rare the events are that it looks for.</summary>
    public const int MostLookedAt = 50_000;

    private const int Spare = 8;
    private const int MostAtOnce = 512;

    private readonly EventReader[] readers = [.. which.Select(stream => new EventReader(streams, stream))];
    private readonly long since = filter.Since * 1_000;
    private readonly List<ReadOnlyMemory<byte>> found = [];
    private long bytes;
    private int lookedAt;

    /// <param name="from">The entry of each stream to begin with, null: there is none left; null for all: the newest.</param>
    /// <returns>
    /// No list where one of these entries has left its stream; and of each stream the entry to go on with, or nothing where
    /// nothing is left.
    /// </returns>
    public async Task<(EventList? List, IReadOnlyList<StreamPosition?>? Next)> Run(
        IReadOnlyList<StreamPosition?>? from, CancellationToken cancellation)
    {
        if (from is not null)
        {
            var starts = await Task.WhenAll(readers.Select((reader, i) => reader.StartAt(from[i], cancellation)));
            if (!starts.All(isKept => isKept))
            {
                return (null, null);
            }
        }

        var atOnce = Math.Min((2 * limit / readers.Length) + Spare, MostAtOnce);
        while (true)
        {
            await Task.WhenAll(readers.Where(reader => reader.Ahead < atOnce / 2).Select(reader => reader.ReadOn(atOnce, cancellation)));
            if (Merge() is { } list)
            {
                return (list, readers.Any(reader => reader.HasNext) ? Here() : null);
            }

            atOnce = Math.Min(2 * atOnce, MostAtOnce);
        }
    }

    /// <summary>Null: more has to be read to know which event comes next.</summary>
    private EventList? Merge()
    {
        while (readers.All(reader => reader.IsReady))
        {
            if (Newest() is not { } newest || found.Count == limit)
            {
                return new EventList(found, Cut: false);
            }

            var (position, json) = newest.Next;
            if (lookedAt == MostLookedAt)
            {
                return new EventList(found, Cut: false) { SearchedBackTo = DateTimeOffset.FromUnixTimeMilliseconds(position.Milliseconds) };
            }

            // No event is later than its position: what lies behind this one is too old as well.
            if (position.Milliseconds < since)
            {
                newest.End();
                continue;
            }

            if (filter.Matches(json.Span))
            {
                var whole = EventJson.WithId(newest.Stream.IdAt(position), json.Span);
                if (bytes + whole.Length > PageRequest.MostBytes && found.Count > 0)
                {
                    return new EventList(found, Cut: true);
                }

                bytes += whole.Length;
                found.Add(whole);
            }

            newest.MoveOn();
            lookedAt++;
        }

        return null;
    }

    private EventReader? Newest()
    {
        EventReader? newest = null;
        foreach (var reader in readers)
        {
            if (reader.HasNext && (newest is null || reader.Next.Position.IsAfter(newest.Next.Position)))
            {
                newest = reader;
            }
        }

        return newest;
    }

    private IReadOnlyList<StreamPosition?> Here() => [.. readers.Select(reader => reader.HasNext ? reader.Next.Position : default(StreamPosition?))];
}
