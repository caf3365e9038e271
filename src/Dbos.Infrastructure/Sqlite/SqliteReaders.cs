using Dbos.Application;
using Microsoft.Data.Sqlite;

namespace Dbos.Infrastructure.Sqlite;

/// <summary>
/// Threads that read, each on a connection of its own, so that no request's thread waits for the disk. There are few, and those
/// without work end after a while with their connections and caches.
/// </summary>
internal sealed class SqliteReaders(Func<SqliteSession> connect) : IDisposable
{
    public const int MostThreads = 8;

    private static readonly TimeSpan LongestIdle = TimeSpan.FromSeconds(10);

    private readonly object gate = new();
    private readonly Queue<Reading> queue = [];

    /// <summary>Threads that take from the queue: one that is about to end is not counted, as nothing may be left to it.</summary>
    private int threads;

    /// <summary>Threads whose connections are open.</summary>
    private int open;
    private int idle;
    private bool isClosed;

    public Task<T> Enqueue<T>(Func<SqliteSession, T> ask)
    {
        var reading = new Reading<T>(ask);
        lock (gate)
        {
            if (isClosed)
            {
                throw new StoreUnavailableException("the embedded store is closed");
            }

            queue.Enqueue(reading);
            if (queue.Count <= idle)
            {
                Monitor.Pulse(gate);
            }
            else if (threads < MostThreads)
            {
                threads++;
                open++;
                new Thread(Loop) { Name = "sqlite-reader", IsBackground = true }.Start();
            }
        }

        return reading.Answer;
    }

    /// <summary>Answers what is queued, then stops.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            isClosed = true;
            Monitor.PulseAll(gate);
            while (open > 0)
            {
                Monitor.Wait(gate);
            }
        }
    }

    private void Loop()
    {
        SqliteSession? session = null;
        while (Next() is { } reading)
        {
            try
            {
                session ??= connect();
                reading.Run(session);
            }
            catch (SqliteException error)
            {
                // The next read has another connection, in case this one is broken.
                session?.Dispose();
                session = null;
                reading.Fail(new StoreUnavailableException("the embedded store could not read", error));
            }
#pragma warning disable CA1031 // A fault in one read must reach its caller alone, not end the thread.
            catch (Exception fault)
            {
                reading.Fail(fault);
            }
#pragma warning restore CA1031
        }

        session?.Dispose();
        lock (gate)
        {
            open--;
            Monitor.PulseAll(gate);
        }
    }

    /// <returns>Null: there was nothing to read for a while, or the store is closed.</returns>
    private Reading? Next()
    {
        lock (gate)
        {
            var isExpired = false;
            while (queue.Count == 0)
            {
                if (isClosed || isExpired)
                {
                    threads--;
                    return null;
                }

                // Counted until the thread runs again, as a read that it was woken for is still in the queue until then.
                idle++;
                isExpired = !Monitor.Wait(gate, LongestIdle);
                idle--;
            }

            return queue.Dequeue();
        }
    }

    private abstract class Reading
    {
        public abstract void Run(SqliteSession session);

        public abstract void Fail(Exception why);
    }

    private sealed class Reading<T>(Func<SqliteSession, T> ask) : Reading
    {
        private readonly TaskCompletionSource<T> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<T> Answer => answer.Task;

        public override void Run(SqliteSession session) => answer.SetResult(ask(session));

        public override void Fail(Exception why) => answer.SetException(why);
    }
}
