using System.Threading.Channels;
using Dbos.Application;
using Microsoft.Data.Sqlite;

namespace Dbos.Infrastructure.Sqlite;

/// <summary>
/// The one thread that writes. It commits the commands that have queued up as a group, so that many callers share one sync of
/// the disk, and answers each only after that. A command that fails does not fail its group: the group is run again, with
/// a savepoint before each command. So a command may run several times, and must change nothing but the database.
/// </summary>
internal sealed class SqliteWriter : IDisposable
{
    private const int MostInOneGroup = 1_024;
    private const int GroupsBetweenLooksAtLog = 64;

    private readonly Channel<Write> queue = Channel.CreateUnbounded<Write>(new() { SingleReader = true });
    private readonly SqliteFolder folder;
    private readonly Thread thread;
    private SqliteSession? session;
    private int groups;

    public SqliteWriter(SqliteFolder folder, SqliteSession session)
    {
        this.folder = folder;
        this.session = session;
        thread = new Thread(Loop) { Name = "sqlite-writer", IsBackground = true };
        thread.Start();
    }

    /// <summary>Runs the change inside the next group's transaction; completes when that is durable.</summary>
    public Task<T> Enqueue<T>(Func<SqliteSession, T> change)
    {
        var write = new Write<T>(change);
        return queue.Writer.TryWrite(write)
            ? write.Answer
            : throw new StoreUnavailableException("the embedded store is closed");
    }

    /// <summary>Writes what is queued, then stops, and leaves everything in the one file.</summary>
    public void Dispose()
    {
        queue.Writer.TryComplete();
        thread.Join();
        session?.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
        session?.Dispose();
    }

    private void Loop()
    {
        var group = new List<Write>();
        while (queue.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            while (group.Count < MostInOneGroup && queue.Reader.TryRead(out var write))
            {
                group.Add(write);
            }

            Commit(group);
            group.Clear();
            if (++groups % GroupsBetweenLooksAtLog == 0)
            {
                LimitLog();
            }
        }
    }

    private void Commit(List<Write> group)
    {
        if (Begin(group) is not { } open)
        {
            return;
        }

        foreach (var write in group)
        {
            if (write.Apply(open) is { } error)
            {
                Rollback(open);
                if (group.Count == 1)
                {
                    write.Fail(error);
                }
                else
                {
                    CommitWithSavepoints(group);
                }

                return;
            }
        }

        End(open, group);
    }

    private void CommitWithSavepoints(List<Write> group)
    {
        if (Begin(group) is not { } open)
        {
            return;
        }

        var done = new List<Write>(group.Count);
        for (var i = 0; i < group.Count; i++)
        {
            open.Run("SAVEPOINT command");
            if (group[i].Apply(open) is not { } error)
            {
                open.Run("RELEASE command");
                done.Add(group[i]);
                continue;
            }

            group[i].Fail(error);
            if (open.IsAutocommit)
            {
                // SQLite rolled back the whole group, as it does when the disk is full: the next command would commit alone.
                done.AddRange(group[(i + 1)..]);
                done.ForEach(write => Commit([write]));
                return;
            }

            open.Run("ROLLBACK TO command");
            open.Run("RELEASE command");
        }

        End(open, done);
    }

    /// <returns>Null: no transaction could be begun, and every command of the group is answered so.</returns>
    private SqliteSession? Begin(List<Write> group)
    {
        try
        {
            session ??= folder.Open(SqliteDatabase.WriterCacheBytes);
            session.Run("BEGIN IMMEDIATE");
            session.BeginGroup();
            return session;
        }
        catch (SqliteException error)
        {
            Fail(group, error);
            return null;
        }
    }

    private void End(SqliteSession open, List<Write> group)
    {
        try
        {
            open.WriteCounts();
        }
        catch (SqliteException error)
        {
            Rollback(open);
            Fail(group, error);
            return;
        }

        try
        {
            open.Run("COMMIT");
        }
        catch (SqliteException error)
        {
            // Whether it happened is known only to the file: a new connection reads it from there.
            open.Dispose();
            session = null;
            Fail(group, error);
            return;
        }

        group.ForEach(write => write.Succeed());
    }

    private void Rollback(SqliteSession open)
    {
        try
        {
            if (!open.IsAutocommit)
            {
                open.Run("ROLLBACK");
            }
        }
        catch (SqliteException)
        {
            // Closing the connection rolls back too.
            open.Dispose();
            session = null;
        }
    }

    /// <summary>
    /// SQLite starts the log anew only when no reader uses it. Under a load that never pauses it would grow for ever, so beyond
    /// the limit this waits for the readers at hand.
    /// </summary>
    private void LimitLog()
    {
        try
        {
            if (folder.LogBytes > SqliteFolder.LogLimit)
            {
                session?.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
            }
        }
        catch (SqliteException)
        {
            // The next look tries again.
        }
    }

    private static void Fail(List<Write> group, SqliteException error)
    {
        var outage = Outage(error);
        group.ForEach(write => write.Fail(outage));
    }

    private static StoreUnavailableException Outage(SqliteException error) => new("the embedded store could not write", error);

    private abstract class Write
    {
        /// <returns>Why it failed; null: it did not.</returns>
        public abstract Exception? Apply(SqliteSession session);

        public abstract void Succeed();

        public abstract void Fail(Exception why);
    }

    private sealed class Write<T>(Func<SqliteSession, T> change) : Write
    {
        private readonly TaskCompletionSource<T> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T? result;

        public Task<T> Answer => answer.Task;

        public override Exception? Apply(SqliteSession session)
        {
            try
            {
                session.BeginCommand();
                result = change(session);
                session.EndCommand();
                return null;
            }
            catch (SqliteException error)
            {
                return Outage(error);
            }
#pragma warning disable CA1031 // A fault in one change must reach its caller alone, not end the thread that all others wait for.
            catch (Exception fault)
            {
                return fault;
            }
#pragma warning restore CA1031
        }

        public override void Succeed() => answer.SetResult(result!);

        public override void Fail(Exception why) => answer.SetException(why);
    }
}
