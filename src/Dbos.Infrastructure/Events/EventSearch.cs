using Dbos.Application.Events;
using Dbos.Application.Paging;

namespace Dbos.Infrastructure.Events;

/// <summary>Merges logs, newest first, and keeps what the filter lets through.</summary>
internal sealed class EventSearch(EventLogs logs, IEnumerable<int> which, EventFilter filter, int limit)
{
    /// <summary>Then it gives up: a search costs tens of milliseconds, however seldom what it is after is.</summary>
    public const int MostLookedAt = 50_000;

    private const int Spare = 8;
    private const int MostAtOnce = 512;

    private readonly EventReader[] readers = [.. which.Select(log => new EventReader(logs, log))];
    private readonly string since = EventIds.First(DateTimeOffset.FromUnixTimeSeconds(filter.Since));
    private readonly List<ReadOnlyMemory<byte>> found = [];
    private long bytes;
    private int lookedAt;

    public async Task<EventList> Run(EventPlace? from, CancellationToken cancellation)
    {
        if (from is not null)
        {
            await Task.WhenAll(readers.Select((reader, i) => reader.StartAt(from.Ids[i], cancellation)));
        }

        var atOnce = Math.Min((2 * limit / readers.Length) + Spare, MostAtOnce);
        while (true)
        {
            await Task.WhenAll(readers.Where(reader => reader.Ahead < atOnce / 2).Select(reader => reader.ReadOn(atOnce, cancellation)));
            if (Merge() is { } list)
            {
                return list;
            }

            atOnce = Math.Min(2 * atOnce, MostAtOnce);
        }
    }

    /// <summary>Null: more has to be read to tell which event comes next.</summary>
    private EventList? Merge()
    {
        while (readers.All(reader => reader.IsReady))
        {
            if (Newest() is not { } newest)
            {
                return new EventList(found, Cut: false);
            }

            if (found.Count == limit)
            {
                return new EventList(found, Cut: false) { Next = Here() };
            }

            if (lookedAt == MostLookedAt)
            {
                return new EventList(found, Cut: false) { Next = Here(), SearchedBackTo = EventIds.TimeOf(newest.Next.Id) };
            }

            var told = newest.Next;
            if (!told.IsAfter(since))
            {
                Skip(newest);
                continue;
            }

            if (filter.LetsThrough(told.Json.Span))
            {
                if (bytes + told.Json.Length > PageRequest.MostBytes && found.Count > 0)
                {
                    return new EventList(found, Cut: true) { Next = Here() };
                }

                bytes += told.Json.Length;
                found.Add(told.Json);
            }

            newest.MoveOn();
            lookedAt++;
        }

        return null;
    }

    /// <summary>It is too old; what lies behind it is as well, but for what was committed late.</summary>
    private void Skip(EventReader reader)
    {
        if (reader.Next.IsAfter(EventIds.Shift(since, -EventLogs.Disorder)))
        {
            reader.MoveOn();
        }
        else
        {
            reader.End();
        }
    }

    private EventReader? Newest()
    {
        EventReader? newest = null;
        foreach (var reader in readers)
        {
            if (reader.HasNext && (newest is null || reader.Next.IsAfter(newest.Next.Id)))
            {
                newest = reader;
            }
        }

        return newest;
    }

    private EventPlace Here() => new([.. readers.Select(reader => reader.HasNext ? reader.Next.Id : string.Empty)]);
}
