using Dbos.Application.Paging;
using Dbos.Domain.Tasks;

namespace Dbos.Infrastructure.Tasks;

/// <summary>Pages of a list of tasks that goes through one status after the other. A place in it is a place in one status, and which.</summary>
internal static class TaskPages
{
    private static readonly MeasurementTaskStatus[] Statuses =
    [
        MeasurementTaskStatus.Pending,
        MeasurementTaskStatus.Inflight,
        MeasurementTaskStatus.Failed,
        MeasurementTaskStatus.Completed,
        MeasurementTaskStatus.Cancelled,
    ];

    /// <summary>A part of the list of one status.</summary>
    /// <param name="limit">The most items.</param>
    /// <param name="after">Null: from the start.</param>
    /// <param name="bytes">That the reply holds already.</param>
    /// <returns>With all bytes of the reply.</returns>
    public delegate Task<Page<MeasurementTask>> ReadStatus(MeasurementTaskStatus status, int limit, PageCursor? after, long bytes);

    /// <param name="status">Null: each after the other.</param>
    public static async Task<Page<MeasurementTask>> Read(MeasurementTaskStatus? status, PageRequest page, ReadStatus read)
    {
        var items = new List<MeasurementTask>();
        var bytes = 0L;
        var (at, after) = Place(page.After);
        foreach (var each in Statuses.Where(each => status is null ? Array.IndexOf(Statuses, each) >= at : each == status))
        {
            if (items.Count >= page.Limit || (items.Count > 0 && bytes >= PageRequest.MostBytes))
            {
                return new Page<MeasurementTask>(items, Place(each, PageCursor.Start)) { Bytes = bytes };
            }

            var some = await read(each, page.Limit - items.Count, after, bytes);
            items.AddRange(some.Items);
            bytes = some.Bytes;
            if (some.Next is { } next)
            {
                return new Page<MeasurementTask>(items, Place(each, next)) { Bytes = bytes };
            }

            after = null;
        }

        return new Page<MeasurementTask>(items, null) { Bytes = bytes };
    }

    /// <summary>How a status is ordered: what comes next before what ended last.</summary>
    public static bool IsLowestFirst(MeasurementTaskStatus status) =>
        status is MeasurementTaskStatus.Pending or MeasurementTaskStatus.Inflight;

    private static PageCursor Place(MeasurementTaskStatus status, PageCursor cursor) =>
        cursor with { Member = $"{(char)('0' + Array.IndexOf(Statuses, status))}{cursor.Member}" };

    private static (int Status, PageCursor? After) Place(PageCursor? place)
    {
        if (place is not { Member: [var status, .. var member] })
        {
            return (0, null);
        }

        var cursor = place with { Member = member };
        return (status - '0', cursor == PageCursor.Start ? null : cursor);
    }
}
