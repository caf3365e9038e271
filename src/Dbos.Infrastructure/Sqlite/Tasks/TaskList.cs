using Dbos.Application.Paging;
using Dbos.Application.Tasks;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Store;
using static Dbos.Infrastructure.Sqlite.Tasks.TaskTable;

namespace Dbos.Infrastructure.Sqlite.Tasks;

/// <summary>
/// One page of a list. Pending tasks of an agent have an index; any other filter looks at a bounded number of rows of the
/// status, as an index more would be paid for by every transition.
/// </summary>
/// <param name="keptSince">Completed and cancelled tasks that ended by then are about to be removed, and not listed.</param>
internal sealed class TaskList(SqliteSession session, TaskFilter filter, DateTimeOffset keptSince)
{
    public const int MostLookedAt = 5_000;

    /// <summary>In which they are listed one after the other.</summary>
    private static readonly MeasurementTaskStatus[] Statuses =
    [
        MeasurementTaskStatus.Pending,
        MeasurementTaskStatus.Inflight,
        MeasurementTaskStatus.Failed,
        MeasurementTaskStatus.Completed,
        MeasurementTaskStatus.Cancelled,
    ];

    private readonly List<MeasurementTask> items = [];
    private long bytes;
    private int lookedAt;

    public Page<MeasurementTask> Read(MeasurementTaskStatus? status, PageRequest page)
    {
        var (at, after) = ReadPlace(page.After);
        var (first, last) = status is { } one ? (Array.IndexOf(Statuses, one), Array.IndexOf(Statuses, one)) : (at, Statuses.Length - 1);
        for (var i = first; i <= last; i++)
        {
            if (ReadStatus(Statuses[i], after, page.Limit) is { } end)
            {
                return new Page<MeasurementTask>(items, end with { Member = $"{(char)('0' + i)}{end.Member}" }) { Bytes = bytes };
            }

            after = null;
        }

        return new Page<MeasurementTask>(items, null) { Bytes = bytes };
    }

    /// <summary>A place in the list of all statuses is one in the list of one status, and which.</summary>
    private static (int Status, PageCursor? After) ReadPlace(PageCursor? place)
    {
        if (place is not { Member: [>= '0' and <= '4' and var status, .. var member] })
        {
            return (0, null);
        }

        var after = place with { Member = member };
        return (status - '0', after == PageCursor.Start ? null : after);
    }

    /// <returns>Where the page ends within this status; null: it does not, the next status follows.</returns>
    private PageCursor? ReadStatus(MeasurementTaskStatus status, PageCursor? after, int limit)
    {
        var end = PageCursor.Start;
        if (lookedAt >= MostLookedAt)
        {
            return end;
        }

        var isIndexed = filter.IsAny || (status == MeasurementTaskStatus.Pending && filter.AgentId.Length > 0);
        var most = isIndexed ? limit - items.Count + 1 : MostLookedAt - lookedAt;
        var read = 0;
        using var rows = Rows(status, after, most);
        while (rows.Read())
        {
            read++;
            if (items.Count == limit)
            {
                return end;
            }

            if (Matches(rows.GetString(1), rows.GetString(2)))
            {
                var row = Row(rows);
                if (items.Count > 0 && bytes + row.Bytes > PageRequest.MostBytes)
                {
                    return end;
                }

                items.Add(session.WithPayload(row));
                bytes += row.Bytes;
            }

            end = CursorAt(rows, status);
        }

        lookedAt += isIndexed ? 0 : read;
        return !isIndexed && read == most ? end : null;
    }

    private bool Matches(string agent, string module) =>
        (filter.AgentId.Length == 0 || filter.AgentId == agent) && (filter.ModuleName.Length == 0 || filter.ModuleName == module);

    private SqliteStatement Rows(MeasurementTaskStatus status, PageCursor? after, int most) => status switch
    {
        MeasurementTaskStatus.Pending => Pending(after, most),
        MeasurementTaskStatus.Inflight => session.Read(
            $"SELECT {Columns} FROM task WHERE status = 1 AND (visible_at, id) > ($1, $2) ORDER BY visible_at, id LIMIT $3",
            after?.Score ?? long.MinValue,
            after?.Member ?? string.Empty,
            most),
        _ => session.Read(
            $"""
            SELECT {Columns} FROM task WHERE status = $1 AND ended_at IS NOT NULL AND ended_at > $2 AND (ended_at, id) < ($3, $4)
            ORDER BY ended_at DESC, id DESC LIMIT $5
            """,
            (int)status,
            status == MeasurementTaskStatus.Failed ? long.MinValue : Milliseconds(keptSince),
            after?.Score ?? long.MaxValue,
            after?.Member ?? string.Empty,
            most),
    };

    private SqliteStatement Pending(PageCursor? after, int most)
    {
        var band = after is null ? -1 : Bands.BandOf(after.Score);
        var due = after is null ? 0 : Bands.DueOf(after.Score);
        var id = after?.Member ?? string.Empty;
        return (filter.AgentId, filter.ModuleName) switch
        {
            ("", _) => session.Read(
                $"""
                SELECT {Columns} FROM task WHERE status = 0 AND (band, visible_at, id) > ($1, $2, $3)
                ORDER BY band, visible_at, id LIMIT $4
                """,
                band,
                due,
                id,
                most),
            (var agent, "") => session.Read(
                $"""
                SELECT {Columns} FROM task WHERE status = 0 AND agent = $5 AND (band, visible_at, id) > ($1, $2, $3)
                ORDER BY band, visible_at, id LIMIT $4
                """,
                band,
                due,
                id,
                most,
                agent),
            var (agent, module) => session.Read(
                $"""
                SELECT {Columns} FROM task WHERE status = 0 AND module = $6 AND agent = $5 AND (band, visible_at, id) > ($1, $2, $3)
                ORDER BY band, visible_at, id LIMIT $4
                """,
                band,
                due,
                id,
                most,
                agent,
                module),
        };
    }

    private static PageCursor CursorAt(SqliteStatement row, MeasurementTaskStatus status)
    {
        var score = status switch
        {
            MeasurementTaskStatus.Pending => Bands.Score(row.GetInt32(3), row.GetInt64(12)),
            MeasurementTaskStatus.Inflight => row.GetInt64(12),
            _ => row.GetInt64(17),
        };
        return new PageCursor(score, row.GetString(0));
    }
}
