using System.Runtime.CompilerServices;
using Dbos.Application;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Sqlite;

/// <summary>
/// The one file of the embedded store, in this process: one writer, whose transactions are groups of what callers ask for, and readers
/// that see the last committed state on connections of their own.
/// </summary>
public sealed class SqliteDatabase : IDisposable
{
    /// <summary>The caches of all connections together hold 64 MiB.</summary>
    internal const long WriterCacheBytes = 32 << 20;

    private const long ReaderCacheBytes = (32 << 20) / SqliteReaders.MostThreads;
    private const string System = "sqlite";

    private readonly StorePermits permits;
    private readonly SqliteFolder folder;
    private readonly SqliteWriter writer;
    private readonly SqliteReaders readers;

    /// <exception cref="DataDirectoryInUseException">Another process has the folder.</exception>
    /// <exception cref="DataFileUnusableException">What lies there is no database of this service.</exception>
    public SqliteDatabase(StoreSettings settings, StorePermits permits)
    {
        this.permits = permits;
        folder = new SqliteFolder(settings.DataDirectory)
        {
            EventRetention = settings.EventRetention,
            RefusalRetention = settings.RefusalRetention,
        };
        writer = new SqliteWriter(folder, folder.OpenLaidOut(WriterCacheBytes));
        readers = new SqliteReaders(() => folder.Open(ReaderCacheBytes));
    }

    /// <summary>Bytes on the disk.</summary>
    public long Bytes => folder.Bytes;

    /// <summary>Receives what each committed change makes due, and which deliveries it ends.</summary>
    public IStoreWatcher? Watcher { get; set; }

    /// <summary>Runs the change within a transaction, and answers when it is durable.</summary>
    /// <remarks>
    /// A caller that stops listening misses the answer; the change is made all the same. It may be run more than once, so it
    /// changes nothing but the database.
    /// </remarks>
    /// <param name="operation">Its name in traces and metrics.</param>
    /// <param name="cost">In permits of this kind of work.</param>
    /// <exception cref="StoreUnavailableException">Whether it was made is unknown; it is safe to send it again.</exception>
    /// <exception cref="StoreBusyException">Too many calls wait already.</exception>
    public Task<T> Write<T>(
        Func<SqliteSession, T> change,
        CancellationToken cancellation,
        [CallerMemberName] string operation = "",
        StoreWork work = StoreWork.Write,
        int cost = 1) =>
        Permitted(work, cost, change, operation, Write).WaitAsync(cancellation);

    /// <param name="cost">In permits of this kind of work.</param>
    /// <exception cref="StoreUnavailableException">The file could not be read.</exception>
    /// <exception cref="StoreBusyException">Too many calls wait already.</exception>
    public Task<T> Read<T>(
        Func<SqliteSession, T> ask, [CallerMemberName] string operation = "", StoreWork work = StoreWork.Read, int cost = 1) =>
        Permitted(work, cost, ask, operation, Read);

    public void Dispose()
    {
        readers.Dispose();
        writer.Dispose();
        folder.Dispose();
    }

    private async Task<T> Permitted<T>(
        StoreWork work, int cost, Func<SqliteSession, T> ask, string operation, Func<Func<SqliteSession, T>, string, Task<T>> run)
    {
        var pool = permits.Of(work);
        await pool.Enter(cost);
        var isAnswered = false;
        try
        {
            var answer = await run(ask, operation);
            isAnswered = true;
            return answer;
        }
        finally
        {
            pool.Leave(cost, isAnswered);
        }
    }

    private async Task<T> Read<T>(Func<SqliteSession, T> ask, string operation)
    {
        using var asked = StoreOperation.Begin(System, operation, partition: 0);
        try
        {
            return await readers.Enqueue(ask);
        }
        catch (StoreUnavailableException outage)
        {
            asked?.Fail(outage);
            throw;
        }
    }

    private async Task<T> Write<T>(Func<SqliteSession, T> change, string operation)
    {
        using var asked = StoreOperation.Begin(System, operation, partition: 0);
        try
        {
            var (answer, turns, ended) = await writer.Enqueue(session =>
            {
                var answer = change(session);
                return (answer, (Turn[])[.. session.Turns], ((string Record, long Delivery)[])[.. session.Ended]);
            });
            if (Watcher is { } watcher)
            {
                Array.ForEach(turns, watcher.Due);
                Array.ForEach(ended, lease => watcher.Ended(lease.Record, lease.Delivery));
            }

            return answer;
        }
        catch (StoreUnavailableException outage)
        {
            asked?.Fail(outage);
            throw;
        }
    }
}
