using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Sqlite;

/// <summary>The tables of the file, and what it says of their layout.</summary>
internal static class SqliteLayout
{
    private const string Layout = "layout";

    /// <summary>A file that has tables is left as it is: they are perhaps those of another schema version.</summary>
    public static void LayOutIfNew(this SqliteSession session)
    {
        session.Execute("BEGIN IMMEDIATE");
        if (session.Tables().Count == 0)
        {
            session.LayOut(movedFrom: null);
        }

        session.Execute("COMMIT");
    }

    public static StoreLayout ReadLayout(this SqliteSession session)
    {
        if (!session.Tables().Contains(Layout))
        {
            // From before it was recorded.
            return new StoreLayout(Partitions: 1, SchemaVersion: 1, MovedFrom: null);
        }

        using var row = session.Read("SELECT schema_version, moved_from FROM layout");
        row.Read();
        return new StoreLayout(Partitions: 1, row.GetInt32(0), row.IsDBNull(1) ? null : row.GetString(1));
    }

    /// <summary>Inside a transaction: there are no tables but new ones.</summary>
    public static void LayOutAnew(this SqliteSession session, string movedFrom)
    {
        foreach (var table in session.Tables())
        {
            session.Execute($"DROP TABLE {table}");
        }

        session.LayOut(movedFrom);
    }

    public static void EndMove(this SqliteSession session) => session.Execute("UPDATE layout SET moved_from = NULL");

    private static void LayOut(this SqliteSession session, string? movedFrom)
    {
        using var schema = new StreamReader(typeof(SqliteLayout).Assembly.GetManifestResourceStream("schema.sql")!);
        session.Execute(schema.ReadToEnd());
        session.Run("INSERT INTO layout VALUES ($1, $2, $3)", StoreLayout.CurrentSchema, movedFrom, StoreLayout.NewGeneration());
    }

    private static List<string> Tables(this SqliteSession session) =>
        session.ReadAll(row => row.GetString(0), "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'");
}
