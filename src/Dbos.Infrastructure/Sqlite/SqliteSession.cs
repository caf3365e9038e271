using Dbos.Infrastructure.Store;
using Microsoft.Data.Sqlite;

namespace Dbos.Infrastructure.Sqlite;

/// <summary>One connection with its prepared statements. Used by one thread at a time.</summary>
public sealed class SqliteSession : IDisposable
{
    /// <summary>For a file that another program has locked: shorter than a caller's patience, so that the writer is free again by then.</summary>
    private const int LockPatienceSeconds = 2;

    private readonly Dictionary<string, SqliteCommand> prepared = [];

    public SqliteSession(string file)
    {
        var connection = new SqliteConnectionStringBuilder { DataSource = file, Pooling = false, DefaultTimeout = LockPatienceSeconds };
        Connection = new SqliteConnection(connection.ConnectionString);
        Connection.Open();

        // FULL: a commit is on the disk before it is answered, whatever is killed then.
        Execute("PRAGMA journal_mode = WAL");
        Execute("PRAGMA synchronous = FULL");
        Execute("PRAGMA cache_size = -65536");
    }

    public SqliteConnection Connection { get; }

    /// <summary>How many rows of the event log a transaction leaves, at least.</summary>
    public int EventRetention { get; set; }

    /// <summary>Likewise of refused writes.</summary>
    public int RefusalRetention { get; set; }

    /// <summary>Turns that the change at hand makes come; to be told when it is committed.</summary>
    public List<Turn> Turns { get; } = [];

    /// <summary>Deliveries that the change at hand ends, of those whose end is to be told.</summary>
    public List<(string Record, long Delivery)> Ended { get; } = [];

    /// <summary>Runs SQL once, as it is.</summary>
    public void Execute(string sql)
    {
        using var command = Connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    public int Run(string sql, params ReadOnlySpan<object?> parameters) => Prepared(sql, parameters).ExecuteNonQuery();

    public object? Scalar(string sql, params ReadOnlySpan<object?> parameters) => Prepared(sql, parameters).ExecuteScalar();

    public SqliteDataReader Read(string sql, params ReadOnlySpan<object?> parameters) => Prepared(sql, parameters).ExecuteReader();

    public List<T> ReadAll<T>(Func<SqliteDataReader, T> row, string sql, params ReadOnlySpan<object?> parameters)
    {
        using var reader = Read(sql, parameters);
        var rows = new List<T>();
        while (reader.Read())
        {
            rows.Add(row(reader));
        }

        return rows;
    }

    public void Dispose()
    {
        foreach (var command in prepared.Values)
        {
            command.Dispose();
        }

        Connection.Dispose();
    }

    /// <summary>Parameters are named $1, $2, … in the SQL.</summary>
    private SqliteCommand Prepared(string sql, ReadOnlySpan<object?> parameters)
    {
        if (!prepared.TryGetValue(sql, out var command))
        {
            command = Connection.CreateCommand();
            command.CommandText = sql;
            for (var i = 1; i <= parameters.Length; i++)
            {
                command.Parameters.Add(new SqliteParameter { ParameterName = $"${i}" });
            }

            prepared.Add(sql, command);
        }

        for (var i = 0; i < parameters.Length; i++)
        {
            command.Parameters[i].Value = parameters[i] ?? DBNull.Value;
        }

        return command;
    }
}
