using System.Text;
using Dbos.Infrastructure.Sqlite;
using Dbos.Infrastructure.Store;
using Dbos.Testing;
using Microsoft.Data.Sqlite;

namespace Dbos.Infrastructure.Tests.Engines;

/// <summary>The embedded store, each in a folder of its own.</summary>
public sealed class SqliteEngine : IEngine, IDisposable
{
    private readonly List<TemporaryFolder> folders = [];

    public Task<OpenStore> Open(OpenOptions options)
    {
        var folder = new TemporaryFolder();
        lock (folders)
        {
            folders.Add(folder);
        }

        var settings = new StoreSettings { Address = StoreSettings.Embedded, DataDirectory = folder.Path };
        return Task.FromResult(Start(options.Settings(settings), options));
    }

    public Task<OpenStore> OpenBeside(OpenStore opened, IStoreWatcher? watcher = null) => Task.FromResult(opened);

    public static OpenStore Start(StoreSettings settings, OpenOptions options)
    {
        var opened = new OpenStore(settings, options.Policy, Read);
        opened.Get<SqliteDatabase>();
        if (options.Watcher is { } watcher)
        {
            opened.Get<IStoreProbe>().Tell(watcher);
        }

        return opened;
    }

    /// <summary>A connection past the store, as an operator's own.</summary>
    public static SqliteConnection Connect(StoreSettings settings)
    {
        var connection = new SqliteConnection($"Data Source={Path.Combine(settings.DataDirectory, "dbos.db")};Pooling=False");
        connection.Open();
        return connection;
    }

    public void Dispose() => folders.ForEach(folder => folder.Dispose());

    private static Task<IReadOnlyList<string>> Read(StoreSettings settings, TimeProvider clock)
    {
        var lines = new StoredLines(clock.GetUtcNow());
        using var connection = Connect(settings);
        foreach (var table in Query(connection, "SELECT name FROM sqlite_master WHERE type = 'table'", row => row.GetString(0)))
        {
            Query(connection, $"SELECT * FROM {table}", row => Add(lines, table, row));
        }

        return Task.FromResult(lines.All);
    }

    private static List<T> Query<T>(SqliteConnection connection, string sql, Func<SqliteDataReader, T> read)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        using var row = command.ExecuteReader();
        var rows = new List<T>();
        while (row.Read())
        {
            rows.Add(read(row));
        }

        return rows;
    }

    private static bool Add(StoredLines lines, string table, SqliteDataReader row)
    {
        switch (table)
        {
            case "mark":
                lines.Mark(row.GetString(0), Bytes(row, 1)!, Number(row, 2));
                break;
            case "count":
                lines.Count(row.GetString(1), isEver: row.GetInt64(0) == 0, row.GetInt64(2));
                break;
            case "event" or "refusal":
                lines.Event($"{table}s", Bytes(row, 2)!);
                break;
            case "agent" or "agent_config" or "agent_history":
                for (var column = 1; column < row.FieldCount; column++)
                {
                    var value = row.GetValue(column) is byte[] bytes ? Encoding.UTF8.GetString(bytes) : $"{row.GetValue(column)}";
                    lines.Field($"{table}:{row.GetString(0)}", row.GetName(column), value);
                }

                break;
            case "result":
                lines.Other($"result {row.GetString(1)} {row.GetString(2)}");
                break;
            case "lease_token" when row.GetInt64(1) == 0:
            case "sqlite_sequence" or "layout" or "probe":
                break;
            default:
                lines.Other($"{table} {string.Join(", ", Enumerable.Range(0, row.FieldCount).Select(column => TextOf(row.GetValue(column))))}");
                break;
        }

        return true;
    }

    private static string? TextOf(object value) => value is byte[] bytes
        ? System.Text.Encoding.UTF8.GetString(bytes)
        : Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture);

    private static byte[]? Bytes(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetFieldValue<byte[]>(column);

    private static long? Number(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt64(column);
}
