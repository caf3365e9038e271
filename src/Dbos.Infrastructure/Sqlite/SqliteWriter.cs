using System.Threading.Channels;
using Dbos.Application;
using Microsoft.Data.Sqlite;

namespace Dbos.Infrastructure.Sqlite;

/// <summary>
/// The one thread that writes. It commits whatever has queued up as a group, so that many callers share one
/// sync of the disk, and answers each only after that.
/// </summary>
internal sealed class SqliteWriter : IDisposable
{
    private const int MostInOneGroup = 1_024;

    private readonly Channel<Write> queue = Channel.CreateUnbounded<Write>(new() { SingleReader = true });
    private readonly SqliteSession session;
    private readonly Thread thread;

    public SqliteWriter(SqliteSession session)
    {
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

    /// <summary>Writes what is queued, then stops.</summary>
    public void Dispose()
    {
        queue.Writer.TryComplete();
        thread.Join();
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

            Answer(group);
            group.Clear();
        }
    }

    private void Answer(List<Write> group)
    {
        try
        {
            CommitTogether(group);
            group.ForEach(write => write.Succeed());
        }
        catch (SqliteException error)
        {
            var outage = new StoreUnavailableException("the embedded store could not write", error);
            group.ForEach(write => write.Fail(outage));
        }
#pragma warning disable CA1031 // A fault in one change must reach its caller alone, not end the thread that all others wait for.
        catch (Exception fault)
        {
            if (group is [var faulty])
            {
                faulty.Fail(fault);
            }
            else
            {
                group.ForEach(write => Answer([write]));
            }
        }
#pragma warning restore CA1031
    }

    private void CommitTogether(List<Write> group)
    {
        session.Run("BEGIN IMMEDIATE");
        try
        {
            group.ForEach(write => write.Apply(session));
            session.Run("COMMIT");
        }
        catch
        {
            session.Run("ROLLBACK");
            throw;
        }
    }

    private abstract class Write
    {
        public abstract void Apply(SqliteSession session);

        public abstract void Succeed();

        public abstract void Fail(Exception why);
    }

    private sealed class Write<T>(Func<SqliteSession, T> change) : Write
    {
        private readonly TaskCompletionSource<T> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T? result;

        public Task<T> Answer => answer.Task;

        public override void Apply(SqliteSession session) => result = change(session);

        public override void Succeed() => answer.SetResult(result!);

        public override void Fail(Exception why) => answer.SetException(why);
    }
}
