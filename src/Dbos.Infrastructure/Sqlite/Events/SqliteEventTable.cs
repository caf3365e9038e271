using System.Text;

namespace Dbos.Infrastructure.Sqlite.Events;

/// <summary>Writes events inside the transaction of the change that they describe.</summary>
internal static class SqliteEventTable
{
    /// <param name="body">As EventWriter.Body makes it: without id, time and closing brace.</param>
    public static void LogEvent(this SqliteSession session, ReadOnlyMemory<byte> body, DateTimeOffset now)
    {
        var stamp = Encoding.ASCII.GetBytes(
            $",\"timestamp\":{now.ToUnixTimeSeconds()},\"timestamp_ms\":{now.ToUnixTimeMilliseconds()}}}");
        session.Run("INSERT INTO event (at, event) VALUES ($1, $2)", now.ToUnixTimeMilliseconds(), (byte[])[.. body.Span, .. stamp]);
    }
}
