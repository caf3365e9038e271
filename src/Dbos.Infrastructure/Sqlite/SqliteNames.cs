namespace Dbos.Infrastructure.Sqlite;

/// <summary>All names of the file, slice by slice: first those of indexes, then of records, then of marks.</summary>
internal static class SqliteNames
{
    private const int Slice = 1_000;

    /// <summary>Those of indexes have many rows each: the next is found from the one before.</summary>
    private static readonly string[] Sources =
    [
        """
        WITH RECURSIVE found (name) AS (
            SELECT min(name) FROM entry WHERE name > $1
            UNION ALL SELECT (SELECT min(name) FROM entry WHERE entry.name > found.name) FROM found WHERE name IS NOT NULL)
        SELECT name FROM found WHERE name IS NOT NULL LIMIT $2
        """,
        "SELECT name FROM record WHERE name > $1 ORDER BY name LIMIT $2",
        "SELECT name FROM mark WHERE name > $1 ORDER BY name LIMIT $2",
    ];

    /// <param name="cursor">Begins with the source's number; null: from the start.</param>
    public static (IReadOnlyList<string> Names, string? Next) NamesFrom(this SqliteSession session, string? cursor)
    {
        var source = cursor is null ? 0 : cursor[0] - '0';
        var names = session.ReadAll(row => row.GetString(0), Sources[source], cursor?[1..] ?? string.Empty, Slice);
        var next = names.Count == Slice ? $"{source}{names[^1]}"
            : source + 1 < Sources.Length ? $"{source + 1}"
            : null;
        return (names, next);
    }
}
