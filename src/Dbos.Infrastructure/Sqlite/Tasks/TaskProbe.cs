using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Sqlite.Tasks;

/// <summary>What the probe of each second looks at.</summary>
internal static class TaskProbe
{
    /// <summary>What becomes due between two instants in a priority, the earliest first.</summary>
    public static List<Turn> TurnsDue(this SqliteSession session, int band, Watch watch) =>
    [
        .. session.ReadAll(
            row => new Turn(QueueNames.Of(row.GetString(0), row.GetString(1)), row.GetInt64(2)),
            """
            SELECT agent, module, visible_at FROM task WHERE status = 0 AND band = $1 AND visible_at > $2 AND visible_at <= $3
            ORDER BY visible_at LIMIT $4
            """,
            band,
            watch.From,
            watch.UpTo,
            watch.MostOfABand),
    ];

    /// <param name="name">Of an index; those of tasks name what is a table here.</param>
    public static long? EarliestDeadline(this SqliteSession session, string name) => (long?)(name switch
    {
        "tasks:inflight" => session.Scalar("SELECT visible_at FROM task WHERE status = 1 ORDER BY visible_at LIMIT 1"),
        "tasks:completed" => EarliestEnd(session, MeasurementTaskStatus.Completed),
        "tasks:cancelled" => EarliestEnd(session, MeasurementTaskStatus.Cancelled),
        Names.AgentDeadlines => session.Scalar("SELECT deadline FROM agent WHERE deadline IS NOT NULL ORDER BY deadline LIMIT 1"),
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "has no deadlines"),
    });

    private static object? EarliestEnd(SqliteSession session, MeasurementTaskStatus status) => session.Scalar(
        "SELECT ended_at FROM task WHERE status = $1 AND ended_at IS NOT NULL ORDER BY ended_at LIMIT 1", (int)status);
}
