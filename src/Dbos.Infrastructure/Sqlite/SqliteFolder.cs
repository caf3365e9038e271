using Microsoft.Data.Sqlite;

namespace Dbos.Infrastructure.Sqlite;

/// <summary>Where the embedded store lies: one process has the folder, with one file in it.</summary>
internal sealed class SqliteFolder : IDisposable
{
    /// <summary>The most bytes of the write-ahead log, but for a single transaction that is larger.</summary>
    public const long LogLimit = 64 << 20;

    private const string File = "dbos.db";
    private const string Lock = "dbos.lock";

    private readonly string path;
    private readonly FileStream exclusive;

    /// <exception cref="DataDirectoryInUseException">Another process has the folder.</exception>
    public SqliteFolder(string directory)
    {
        Directory.CreateDirectory(directory);
        exclusive = TakeExclusively(directory);
        path = Path.Combine(directory, File);
    }

    /// <summary>Of the file and of what is not yet worked into it.</summary>
    public long Bytes => new FileInfo(path).Length + LogBytes;

    public long LogBytes => new FileInfo($"{path}-wal") is { Exists: true } log ? log.Length : 0;

    /// <summary>How many rows of the event log a session's transactions leave, at least.</summary>
    public int EventRetention { get; init; } = int.MaxValue;

    /// <summary>Likewise of refused writes.</summary>
    public int RefusalRetention { get; init; } = int.MaxValue;

    public SqliteSession Open(long cacheBytes) =>
        new(path, cacheBytes) { EventRetention = EventRetention, RefusalRetention = RefusalRetention };

    /// <exception cref="DataFileUnusableException">What lies there is no database of this service.</exception>
    public SqliteSession OpenLaidOut(long cacheBytes)
    {
        try
        {
            var session = Open(cacheBytes);
            session.LayOutIfNew();
            return session;
        }
        catch (SqliteException error)
        {
            throw new DataFileUnusableException(Path.GetFullPath(path), error);
        }
    }

    public void Dispose() => exclusive.Dispose();

    private static FileStream TakeExclusively(string directory)
    {
        try
        {
            return new FileStream(Path.Combine(directory, Lock), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException error)
        {
            throw new DataDirectoryInUseException(Path.GetFullPath(directory), error);
        }
    }
}
