using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Dbos.Application;
using Dbos.Infrastructure.Store;
using Microsoft.Data.Sqlite;

namespace Dbos.Infrastructure.Sqlite;

/// <summary>
/// The one file of the embedded store, in this process: one writer, whose transactions are groups of what callers ask for, and readers
/// that see the last committed state on connections of their own.
/// </summary>
public sealed class SqliteDatabase : IDisposable
{
    private const string System = "sqlite";

    private readonly SqliteFolder folder;
    private readonly SqliteSession writing;
    private readonly SqliteWriter writer;
    private readonly ConcurrentBag<SqliteSession> readers = [];

    /// <exception cref="DataDirectoryInUseException">Another process has the folder.</exception>
    /// <exception cref="DataFileUnusableException">What lies there is no database of this service.</exception>
    public SqliteDatabase(StoreSettings settings)
    {
        folder = new SqliteFolder(settings.DataDirectory);
        writing = folder.OpenLaidOut();
        (writing.EventRetention, writing.RefusalRetention) = (settings.EventRetention, settings.RefusalRetention);
        writer = new SqliteWriter(writing);
    }

    /// <summary>Bytes on the disk.</summary>
    public long Bytes => folder.Bytes;

    /// <summary>Runs the change within a transaction, and answers when it is durable.</summary>
    /// <remarks>A caller that stops listening misses the answer; the change is made all the same.</remarks>
    /// <param name="operation">Its name in traces and metrics.</param>
    /// <exception cref="StoreUnavailableException">Nothing was changed.</exception>
    public Task<T> Write<T>(
        Func<SqliteSession, T> change, CancellationToken cancellation, [CallerMemberName] string operation = "") =>
        Write(change, operation).WaitAsync(cancellation);

    /// <exception cref="StoreUnavailableException">The file could not be read.</exception>
    public Task<T> Read<T>(Func<SqliteSession, T> ask, [CallerMemberName] string operation = "")
    {
        using var asked = StoreOperation.Begin(System, operation, partition: 0);
        SqliteSession? session = null;
        try
        {
            session = readers.TryTake(out var idle) ? idle : folder.Open();
            return Task.FromResult(ask(session));
        }
        catch (SqliteException error)
        {
            asked?.Fail(error);
            return Task.FromException<T>(new StoreUnavailableException("the embedded store could not read", error));
        }
        finally
        {
            if (session is not null)
            {
                readers.Add(session);
            }
        }
    }

    public void Dispose()
    {
        writer.Dispose();
        while (readers.TryTake(out var reader))
        {
            reader.Dispose();
        }

        writing.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
        writing.Dispose();
        folder.Dispose();
    }

    private async Task<T> Write<T>(Func<SqliteSession, T> change, string operation)
    {
        using var asked = StoreOperation.Begin(System, operation, partition: 0);
        try
        {
            return await writer.Enqueue(change);
        }
        catch (StoreUnavailableException outage)
        {
            asked?.Fail(outage);
            throw;
        }
    }
}
