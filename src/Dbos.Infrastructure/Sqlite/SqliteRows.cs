using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Sqlite;

/// <summary>The rows of schema.sql as the port's records, marks and entries.</summary>
internal static class SqliteRows
{
    public static StoredRecord? RecordNamed(this SqliteSession session, string name) =>
        Record(session, "SELECT version, document, payload, deliveries, leased_until FROM record WHERE name = $1", name);

    public static StoredRecord? BareRecordNamed(this SqliteSession session, string name) =>
        Record(session, "SELECT version, document, NULL, deliveries, leased_until FROM record WHERE name = $1", name);

    public static Mark? MarkNamed(this SqliteSession session, string name, long now)
    {
        using var row = session.Read("SELECT value, expires_at FROM mark WHERE name = $1 AND expires_at > $2", name, now);
        return row.Read()
            ? new Mark(name, row.GetBytes(0), TimeSpan.FromMilliseconds(row.GetInt64(1) - now))
            : null;
    }

    public static void Put(this SqliteSession session, Mark mark, long now) => session.Run(
        "INSERT OR REPLACE INTO mark VALUES ($1, $2, $3)", mark.Name, Bytes(mark.Value), now + (long)mark.Lifetime.TotalMilliseconds);

    public static List<IndexEntry> Entries(this SqliteSession session, string sql, params ReadOnlySpan<object?> parameters) =>
        session.ReadAll(row => new IndexEntry(0, row.GetString(0), row.GetInt64(1)), sql, parameters);

    /// <summary>The entries of a band that are due, lowest first.</summary>
    public static List<IndexEntry> Head(this SqliteSession session, IndexBand band, long upTo, int count) => session.Entries(
        "SELECT member, score FROM entry WHERE name = $1 AND score BETWEEN $2 AND $3 ORDER BY score, member LIMIT $4",
        band.Index,
        Bands.Score(band.Band, 0),
        Bands.Score(band.Band, Math.Min(upTo, Bands.Width - 1)),
        count);

    public static void Change(this SqliteSession session, IndexChange change)
    {
        if (change.Score is { } score)
        {
            session.Run("INSERT OR REPLACE INTO entry VALUES ($1, $2, $3)", change.Index, change.Member, score);
        }
        else
        {
            session.Run("DELETE FROM entry WHERE name = $1 AND member = $2", change.Index, change.Member);
        }
    }

    public static long? ScoreOf(this SqliteSession session, string index, string member) =>
        (long?)session.Scalar("SELECT score FROM entry WHERE name = $1 AND member = $2", index, member);


    public static byte[]? Bytes(ReadOnlyMemory<byte>? bytes) => bytes?.ToArray();

    private static StoredRecord? Record(SqliteSession session, string sql, string name)
    {
        using var row = session.Read(sql, name);
        return row.Read()
            ? new StoredRecord(
                row.GetInt64(0),
                row.GetBytes(1),
                row.IsDBNull(2) ? default(ReadOnlyMemory<byte>) : row.GetBytes(2),
                row.GetInt64(3),
                row.IsDBNull(4) ? null : DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(4)))
            : null;
    }
}
