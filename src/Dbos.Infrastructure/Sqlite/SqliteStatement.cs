using System.Buffers;
using System.Globalization;
using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Dbos.Infrastructure.Sqlite;

/// <summary>
/// One prepared statement, run again and again, and the row that it stands at. It calls SQLite itself, as the commands of
/// Microsoft.Data.Sqlite cost more than most of these statements do.
/// </summary>
public sealed class SqliteStatement : IDisposable
{
    private const int MostBytesOnStack = 512;

    private readonly sqlite3 database;
    private readonly sqlite3_stmt statement;

    /// <summary>Where SQLite has the parameter $1, $2, …: in the order in which the SQL names them. 0: it does not name it.</summary>
    private readonly int[] places;
    private bool isOpen;

    internal SqliteStatement(sqlite3 database, string sql)
    {
        this.database = database;
        SqliteException.ThrowExceptionForRC(raw.sqlite3_prepare_v2(database, sql, out statement), database);
        var names = Enumerable.Range(1, raw.sqlite3_bind_parameter_count(statement))
            .ToDictionary(place => int.Parse(raw.sqlite3_bind_parameter_name(statement, place).utf8_to_string().AsSpan(1), CultureInfo.InvariantCulture));
        places = [.. Enumerable.Range(1, names.Keys.DefaultIfEmpty().Max()).Select(number => names.GetValueOrDefault(number))];
    }

    /// <summary>Moves to the next row.</summary>
    /// <returns>False: there are no more.</returns>
    public bool Read()
    {
        var code = raw.sqlite3_step(statement);
        if (code is raw.SQLITE_ROW or raw.SQLITE_DONE)
        {
            return code == raw.SQLITE_ROW;
        }

        // The message belongs to the connection's latest call, which is this one only until the statement is reset.
        var error = new SqliteException(
            $"SQLite Error {code}: '{raw.sqlite3_errmsg(database).utf8_to_string()}'.", code & 0xFF, raw.sqlite3_extended_errcode(database));
        Dispose();
        throw error;
    }

    public bool IsDBNull(int column) => raw.sqlite3_column_type(statement, column) == raw.SQLITE_NULL;

    public long GetInt64(int column) => raw.sqlite3_column_int64(statement, column);

    public int GetInt32(int column) => raw.sqlite3_column_int(statement, column);

    public bool GetBoolean(int column) => GetInt64(column) != 0;

    public string GetString(int column) => raw.sqlite3_column_text(statement, column).utf8_to_string() ?? string.Empty;

    public byte[] GetBytes(int column) => raw.sqlite3_column_blob(statement, column).ToArray();

    public long? GetInt64OrNull(int column) => IsDBNull(column) ? null : GetInt64(column);

    public string? GetStringOrNull(int column) => IsDBNull(column) ? null : GetString(column);

    /// <summary>As it is stored: a long, a double, a string, an array of bytes, or null.</summary>
    public object? GetValue(int column) => raw.sqlite3_column_type(statement, column) switch
    {
        raw.SQLITE_INTEGER => GetInt64(column),
        raw.SQLITE_FLOAT => raw.sqlite3_column_double(statement, column),
        raw.SQLITE_TEXT => GetString(column),
        raw.SQLITE_BLOB => GetBytes(column),
        _ => null,
    };

    /// <summary>Ends this run of the statement.</summary>
    public void Dispose()
    {
        raw.sqlite3_reset(statement);
        raw.sqlite3_clear_bindings(statement);
        isOpen = false;
    }

    internal void Begin(ReadOnlySpan<object?> parameters)
    {
        if (isOpen)
        {
            throw new InvalidOperationException("the statement is run while an earlier run of it is being read");
        }

        if (parameters.Length < places.Length)
        {
            throw new ArgumentException($"the statement has {places.Length} parameters, but {parameters.Length} values are given", nameof(parameters));
        }

        isOpen = true;
        for (var i = 0; i < places.Length; i++)
        {
            if (places[i] > 0)
            {
                Bind(places[i], parameters[i]);
            }
        }
    }

    internal void Close() => statement.Dispose();

    private void Bind(int at, object? value)
    {
        var code = value switch
        {
            null => raw.sqlite3_bind_null(statement, at),
            long number => raw.sqlite3_bind_int64(statement, at, number),
            int number => raw.sqlite3_bind_int64(statement, at, number),
            bool flag => raw.sqlite3_bind_int64(statement, at, flag ? 1 : 0),
            string text => BindText(at, text),
            byte[] bytes => BindBytes(at, bytes),
            ReadOnlyMemory<byte> bytes => BindBytes(at, bytes.Span),
            _ => throw new ArgumentException($"no SQL value: {value.GetType()}", nameof(value)),
        };
        SqliteException.ThrowExceptionForRC(code, database);
    }

    private int BindText(int at, string text)
    {
        var most = Encoding.UTF8.GetMaxByteCount(text.Length);
        byte[]? rented = null;
        var bytes = most <= MostBytesOnStack ? stackalloc byte[MostBytesOnStack] : rented = ArrayPool<byte>.Shared.Rent(most);
        var length = Encoding.UTF8.GetBytes(text, bytes);

        // An empty span has no address, which SQLite takes for NULL.
        var code = length == 0
            ? raw.sqlite3_bind_text(statement, at, string.Empty)
            : raw.sqlite3_bind_text(statement, at, bytes[..length]);
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }

        return code;
    }

    private int BindBytes(int at, ReadOnlySpan<byte> bytes) =>
        bytes.IsEmpty ? raw.sqlite3_bind_zeroblob(statement, at, 0) : raw.sqlite3_bind_blob(statement, at, bytes);
}
