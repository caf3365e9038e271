using Dbos.Infrastructure.Store;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Dbos.Infrastructure.Sqlite;

/// <summary>One connection with its prepared statements. Used by one thread at a time.</summary>
public sealed class SqliteSession : IDisposable
{
    /// <summary>For a file that another program has locked: shorter than a caller's patience, so that the writer is free again by then.</summary>
    private const int LockPatienceMilliseconds = 2_000;

    private readonly SqliteConnection connection;
    private readonly Dictionary<string, SqliteStatement> byText = [];

    /// <summary>Literals of the code are found by their address, without a look at their text.</summary>
    private readonly Dictionary<string, SqliteStatement> byReference = new(ReferenceEqualityComparer.Instance);

    private readonly Dictionary<(long Bucket, string Name), long> counts = [];
    private readonly Dictionary<(long Bucket, string Name), long> countsOfCommand = [];

    public SqliteSession(string file, long cacheBytes)
    {
        connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Pooling = false }.ConnectionString);
        connection.Open();
        raw.sqlite3_busy_timeout(connection.Handle, LockPatienceMilliseconds);
        Execute("PRAGMA journal_mode = WAL");

        // A commit is on the disk before it is answered, whatever is killed then.
        Execute("PRAGMA synchronous = FULL");
        Execute($"PRAGMA cache_size = -{cacheBytes / 1024}");

        // Fewer checkpoints write fewer pages twice. What the log has grown to beyond the limit is given back at the next one.
        Execute("PRAGMA wal_autocheckpoint = 4000");
        Execute($"PRAGMA journal_size_limit = {SqliteFolder.LogLimit}");
    }

    /// <summary>How many rows of the event log a transaction leaves, at least.</summary>
    public int EventRetention { get; set; }

    /// <summary>Likewise of refused writes.</summary>
    public int RefusalRetention { get; set; }

    /// <summary>Turns that the command at hand makes come; published when it is committed.</summary>
    public List<Turn> Turns { get; } = [];

    /// <summary>Deliveries that the command at hand ends, of those whose end is reported.</summary>
    public List<(string Record, long Delivery)> Ended { get; } = [];

    /// <summary>The SQL of every statement that was prepared.</summary>
    internal IReadOnlyCollection<string> Statements => byText.Keys;

    /// <summary>No transaction is open: SQLite rolls one back by itself after some errors.</summary>
    internal bool IsAutocommit => raw.sqlite3_get_autocommit(connection.Handle) != 0;

    public long LastInsertedRow => raw.sqlite3_last_insert_rowid(connection.Handle);

    /// <summary>Runs SQL once, as it is; it may be several statements.</summary>
    public void Execute(string sql) =>
        SqliteException.ThrowExceptionForRC(raw.sqlite3_exec(connection.Handle, sql), connection.Handle);

    /// <summary>Parameters are named $1, $2, … in the SQL.</summary>
    /// <returns>How many rows were changed.</returns>
    public int Run(string sql, params ReadOnlySpan<object?> parameters)
    {
        using var statement = Read(sql, parameters);
        var before = raw.sqlite3_total_changes(connection.Handle);
        while (statement.Read())
        {
        }

        return raw.sqlite3_total_changes(connection.Handle) - before;
    }

    /// <returns>The first column of the first row; null: there is no row, or it is NULL.</returns>
    public object? Scalar(string sql, params ReadOnlySpan<object?> parameters)
    {
        using var statement = Read(sql, parameters);
        return statement.Read() ? statement.GetValue(0) : null;
    }

    /// <returns>To be disposed of before the same SQL is run again.</returns>
    public SqliteStatement Read(string sql, params ReadOnlySpan<object?> parameters)
    {
        var statement = Prepared(sql);
        statement.Begin(parameters);
        return statement;
    }

    public List<T> ReadAll<T>(Func<SqliteStatement, T> row, string sql, params ReadOnlySpan<object?> parameters)
    {
        using var statement = Read(sql, parameters);
        var rows = new List<T>();
        while (statement.Read())
        {
            rows.Add(row(statement));
        }

        return rows;
    }

    /// <summary>
    /// Adds to a counter when the group of commands commits, which changes the row of each counter once for all of them.
    /// </summary>
    public void Count(string name, long amount, long bucket)
    {
        if (amount != 0)
        {
            Add(countsOfCommand, (bucket, name), amount);
        }
    }

    public void Dispose()
    {
        foreach (var statement in byText.Values)
        {
            statement.Close();
        }

        connection.Dispose();
    }

    internal void BeginGroup() => counts.Clear();

    internal void BeginCommand()
    {
        Turns.Clear();
        Ended.Clear();
        countsOfCommand.Clear();
    }

    internal void EndCommand()
    {
        foreach (var (counter, amount) in countsOfCommand)
        {
            Add(counts, counter, amount);
        }
    }

    internal void WriteCounts()
    {
        foreach (var ((bucket, name), amount) in counts)
        {
            Run("INSERT INTO count VALUES ($1, $2, $3) ON CONFLICT DO UPDATE SET amount = amount + excluded.amount", bucket, name, amount);
        }
    }

    private static void Add(Dictionary<(long Bucket, string Name), long> counts, (long Bucket, string Name) counter, long amount) =>
        counts[counter] = counts.GetValueOrDefault(counter) + amount;

    private SqliteStatement Prepared(string sql)
    {
        if (byReference.TryGetValue(sql, out var statement))
        {
            return statement;
        }

        if (!byText.TryGetValue(sql, out statement))
        {
            byText.Add(sql, statement = new SqliteStatement(connection.Handle!, sql));
        }

        // SQL that is put together at each call is another string each time.
        if (ReferenceEquals(string.IsInterned(sql), sql))
        {
            byReference.Add(sql, statement);
        }

        return statement;
    }
}
