using System.Text;
using Dbos.Infrastructure.Events;
using SQLitePCL;

namespace Dbos.Infrastructure.Sqlite.Events;

/// <summary>Writes events inside the transaction of the change that they describe.</summary>
internal static class SqliteEventTable
{
    /// <summary>A log that is full is trimmed this often, so that no transaction deletes many rows.</summary>
    private const int MostBetweenTrims = 1_000;

    /// <param name="body">As EventWriter.Body makes it: without id, time and closing brace.</param>
    public static void LogEvent(this SqliteSession session, ReadOnlyMemory<byte> body, DateTimeOffset now) =>
        session.Log(EventLogName.History, body, now, session.EventRetention);

    public static void LogRefusal(this SqliteSession session, ReadOnlyMemory<byte> body, DateTimeOffset now) =>
        session.Log(EventLogName.Refusals, body, now, session.RefusalRetention);

    /// <summary>Adds a row and trims nothing. Its instant is not before that of the row before it, so that rows are in the order of both.</summary>
    public static void Insert(this SqliteSession session, EventLogName log, long at, byte[] json) => session.Run(
        log == EventLogName.History
            ? "INSERT INTO event (at, event) VALUES (max($1, coalesce((SELECT at FROM event ORDER BY seq DESC LIMIT 1), 0)), $2)"
            : "INSERT INTO refusal (at, event) VALUES (max($1, coalesce((SELECT at FROM refusal ORDER BY seq DESC LIMIT 1), 0)), $2)",
        at,
        json);

    private static void Log(this SqliteSession session, EventLogName log, ReadOnlyMemory<byte> body, DateTimeOffset now, int cap)
    {
        var ms = now.ToUnixTimeMilliseconds();
        var stamp = Encoding.ASCII.GetBytes($",\"timestamp\":{now.ToUnixTimeSeconds()},\"timestamp_ms\":{ms}}}");
        session.Insert(log, ms, [.. body.Span, .. stamp]);
        var seq = session.LastInsertedRow;
        if (seq % Math.Clamp(cap / 10, 1, MostBetweenTrims) == 0)
        {
            session.Run(
                log == EventLogName.History ? "DELETE FROM event WHERE seq <= $1" : "DELETE FROM refusal WHERE seq <= $1",
                seq - cap);
        }
    }
}
