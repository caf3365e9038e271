using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Dbos.Application;
using Dbos.Application.Paging;
using Dbos.Infrastructure.Store;
using Microsoft.Data.Sqlite;

namespace Dbos.Infrastructure.Sqlite;

/// <summary>
/// The store port on SQLite, in this process: one file, one partition, one writer. A commit and a take are
/// one transaction each; reads see the last committed state on connections of their own.
/// </summary>
public sealed class SqliteStore : IStore, IDisposable
{
    private const string File = "dbos.db";
    private const string Lock = "dbos.lock";
    private const int SweepEvery = 1_000;

    private readonly StoreSettings settings;
    private readonly TimeProvider clock;
    private readonly string path;
    private readonly FileStream exclusive;
    private readonly SqliteWriter writer;
    private readonly SqliteSession writing;
    private readonly ConcurrentBag<SqliteSession> readers = [];
    private int writes;

    /// <exception cref="DataDirectoryInUseException">Another process has the folder.</exception>
    /// <exception cref="DataFileUnusableException">What lies there is no database of this service.</exception>
    public SqliteStore(StoreSettings settings, TimeProvider clock)
    {
        this.settings = settings;
        this.clock = clock;
        Directory.CreateDirectory(settings.DataDirectory);
        exclusive = TakeExclusively(settings.DataDirectory);
        path = Path.Combine(settings.DataDirectory, File);
        writing = OpenWithSchema(path);
        writer = new SqliteWriter(writing);
    }

    public int Partitions => 1;

    public Task<CommitOutcome> Commit(Commit commit, CancellationToken cancellation) =>
        Write(session => Apply(session, commit), cancellation);

    public Task<IReadOnlyList<Delivery>> Take(Take take, CancellationToken cancellation) =>
        Write<IReadOnlyList<Delivery>>(session => Apply(session, take), cancellation);

    public Task<StoredRecord?> Find(StoreKey record, CancellationToken cancellation) =>
        Read(session => RecordNamed(session, record.Name, Now));

    public Task<ReadOnlyMemory<byte>?> FindMark(StoreKey mark, CancellationToken cancellation) =>
        Read(session => MarkNamed(session, mark.Name, Now));

    public Task<IReadOnlyList<IndexEntry>> Lowest(StoreKey index, long upTo, int count, CancellationToken cancellation) =>
        Read<IReadOnlyList<IndexEntry>>(session => Entries(
            session,
            "SELECT member, score FROM entry WHERE name = $1 AND score <= $2 ORDER BY score, member LIMIT $3",
            index.Name,
            upTo,
            count));

    public Task<IReadOnlyList<IndexEntry>> Highest(
        StoreKey index, PageCursor? below, int count, CancellationToken cancellation) =>
        Read<IReadOnlyList<IndexEntry>>(session => below is null
            ? Entries(
                session,
                "SELECT member, score FROM entry WHERE name = $1 ORDER BY score DESC, member DESC LIMIT $2",
                index.Name,
                count)
            : Entries(
                session,
                "SELECT member, score FROM entry WHERE name = $1 AND (score, member) < ($2, $3) ORDER BY score DESC, member DESC LIMIT $4",
                index.Name,
                below.Score,
                below.Member,
                count));

    public Task<IReadOnlyList<IndexEntry>> ByMember(StoreKey index, string? after, int count, CancellationToken cancellation) =>
        Read<IReadOnlyList<IndexEntry>>(session => Entries(
            session,
            "SELECT member, score FROM entry WHERE name = $1 AND member > $2 ORDER BY member LIMIT $3",
            index.Name,
            after ?? string.Empty,
            count));

    public Task Append(int partition, EventLogName log, ReadOnlyMemory<byte> told, CancellationToken cancellation) =>
        Write(
            session =>
            {
                Tell(session, log, told);
                return true;
            },
            cancellation);

    public Task<IReadOnlyList<ReadOnlyMemory<byte>>> NewestEvents(
        int partition, EventLogName log, int count, CancellationToken cancellation) =>
        Read<IReadOnlyList<ReadOnlyMemory<byte>>>(session => session.ReadAll(
            row => (ReadOnlyMemory<byte>)row.GetFieldValue<byte[]>(0),
            log == EventLogName.History
                ? "SELECT told FROM events ORDER BY seq DESC LIMIT $1"
                : "SELECT told FROM refusals ORDER BY seq DESC LIMIT $1",
            count));

    public Task Probe(CancellationToken cancellation) =>
        Write(session => session.Run("INSERT OR REPLACE INTO probe VALUES (1, $1)", Now), cancellation);

    public void Dispose()
    {
        writer.Dispose();
        while (readers.TryTake(out var reader))
        {
            reader.Dispose();
        }

        writing.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
        writing.Dispose();
        exclusive.Dispose();
    }

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

    private static SqliteSession OpenWithSchema(string path)
    {
        try
        {
            var session = new SqliteSession(path);
            using var schema = new StreamReader(typeof(SqliteStore).Assembly.GetManifestResourceStream("schema.sql")!);
            session.Execute(schema.ReadToEnd());
            return session;
        }
        catch (SqliteException error)
        {
            throw new DataFileUnusableException(Path.GetFullPath(path), error);
        }
    }

    private static StoredRecord? RecordNamed(SqliteSession session, string name, long now)
    {
        using var row = session.Read(
            "SELECT version, document, payload, deliveries, leased_until FROM record WHERE name = $1 AND (expires_at IS NULL OR expires_at > $2)",
            name,
            now);
        return row.Read()
            ? new StoredRecord(
                row.GetInt64(0),
                row.GetFieldValue<byte[]>(1),
                row.IsDBNull(2) ? default(ReadOnlyMemory<byte>) : row.GetFieldValue<byte[]>(2),
                row.GetInt64(3),
                row.IsDBNull(4) ? null : DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(4)))
            : null;
    }

    private static ReadOnlyMemory<byte>? MarkNamed(SqliteSession session, string name, long now) =>
        session.Scalar("SELECT value FROM mark WHERE name = $1 AND expires_at > $2", name, now) is byte[] value
            ? (ReadOnlyMemory<byte>?)value
            : null;

    private static List<IndexEntry> Entries(SqliteSession session, string sql, params ReadOnlySpan<object?> parameters) =>
        session.ReadAll(row => new IndexEntry(0, row.GetString(0), row.GetInt64(1)), sql, parameters);

    private static byte[]? Bytes(ReadOnlyMemory<byte>? bytes) => bytes?.ToArray();

    private long Now => clock.GetUtcNow().ToUnixTimeMilliseconds();

    private CommitOutcome Apply(SqliteSession session, Commit commit)
    {
        var now = Now;
        if (commit.Mark is { } mark && MarkNamed(session, mark.Name, now) is { } value)
        {
            return new CommitOutcome.Marked(value);
        }

        var version = (long?)session.Scalar(
            "SELECT version FROM record WHERE name = $1 AND (expires_at IS NULL OR expires_at > $2)", commit.Record, now) ?? 0;
        if (version != commit.ExpectedVersion)
        {
            return new CommitOutcome.Conflict(RecordNamed(session, commit.Record, now));
        }

        if (version == 0)
        {
            session.Run(
                "INSERT OR REPLACE INTO record (name, version, document, payload, expires_at) VALUES ($1, $2, $3, $4, $5)",
                commit.Record,
                commit.NextVersion,
                Bytes(commit.Document),
                Bytes(commit.Payload),
                now + (long?)commit.Lifetime?.TotalMilliseconds);
        }
        else
        {
            session.Run(
                """
                UPDATE record SET version = $2, document = $3, payload = coalesce($4, payload), expires_at = $5,
                    leased_until = CASE WHEN $6 THEN NULL ELSE leased_until END WHERE name = $1
                """,
                commit.Record,
                commit.NextVersion,
                Bytes(commit.Document),
                Bytes(commit.Payload),
                now + (long?)commit.Lifetime?.TotalMilliseconds,
                commit.EndsLease);
        }

        if (commit.Mark is { } set)
        {
            session.Run(
                "INSERT OR REPLACE INTO mark VALUES ($1, $2, $3)",
                set.Name,
                Bytes(set.Value),
                now + (long)set.Lifetime.TotalMilliseconds);
        }

        foreach (var told in commit.Events)
        {
            Tell(session, EventLogName.History, told);
        }

        foreach (var change in commit.Indexes)
        {
            Change(session, change);
        }

        return CommitOutcome.Done.Instance;
    }

    private List<Delivery> Apply(SqliteSession session, Take take)
    {
        var leasedUntil = Now + (long)take.Lease.TotalMilliseconds;
        long budget = take.ByteBudget;
        var taken = new List<Delivery>();
        foreach (var candidate in take.Candidates.TakeWhile(_ => taken.Count < take.Limit))
        {
            var due = (long?)session.Scalar("SELECT score FROM entry WHERE name = $1 AND member = $2", take.From, candidate.Member);
            if (due is null || due > take.Due)
            {
                continue;
            }

            budget -= (long)session.Scalar(
                "SELECT length(document) + coalesce(length(payload), 0) FROM record WHERE name = $1", candidate.Record)!;
            if (budget < 0 && !(take.AtLeastOne && taken.Count == 0))
            {
                break;
            }

            session.Run(
                "UPDATE record SET version = version + 1, deliveries = deliveries + 1, leased_until = $2 WHERE name = $1",
                candidate.Record,
                leasedUntil);
            Change(session, new IndexChange(take.From, candidate.Member, null));
            Change(session, new IndexChange(take.To, candidate.Member, leasedUntil));
            taken.Add(new Delivery(candidate.Member, due.Value, RecordNamed(session, candidate.Record, now: 0)!));
        }

        if (taken.Count > 0)
        {
            var deliveries = taken.ToDictionary(delivery => delivery.Member, delivery => delivery.Record.Deliveries);
            Tell(
                session,
                EventLogName.History,
                (byte[])[.. take.Told.Head.Span, .. JsonSerializer.SerializeToUtf8Bytes(deliveries), .. take.Told.Tail.Span]);
        }

        return taken;
    }

    private static void Change(SqliteSession session, IndexChange change)
    {
        if (change.Score is { } score)
        {
            session.Run("INSERT OR REPLACE INTO entry VALUES ($1, $2, $3)", change.Index, change.Member, score);
        }
        else
        {
            session.Run("DELETE FROM entry WHERE name = $1 AND member = $2", change.Index, change.Member);
        }
    }

    private static void Tell(SqliteSession session, EventLogName log, ReadOnlyMemory<byte> told) =>
        session.Run(
            log == EventLogName.History ? "INSERT INTO events (told) VALUES ($1)" : "INSERT INTO refusals (told) VALUES ($1)",
            Bytes(told));

    /// <summary>Every so many writes, what has outlived its lifetime or its cap goes, in the same transaction.</summary>
    private void Sweep(SqliteSession session)
    {
        var now = Now;
        session.Run("DELETE FROM mark WHERE name IN (SELECT name FROM mark WHERE expires_at <= $1 LIMIT 10000)", now);
        session.Run("DELETE FROM record WHERE name IN (SELECT name FROM record WHERE expires_at <= $1 LIMIT 10000)", now);
        session.Run("DELETE FROM events WHERE seq <= (SELECT max(seq) FROM events) - $1", settings.EventRetention);
        session.Run("DELETE FROM refusals WHERE seq <= (SELECT max(seq) FROM refusals) - $1", settings.RefusalRetention);
    }

    private Task<T> Write<T>(Func<SqliteSession, T> change, CancellationToken cancellation) =>
        writer.Enqueue(
            session =>
            {
                var answer = change(session);
                if (++writes % SweepEvery == 0)
                {
                    Sweep(session);
                }

                return answer;
            },
            cancellation);

    private Task<T> Read<T>(Func<SqliteSession, T> ask)
    {
        var session = readers.TryTake(out var idle) ? idle : new SqliteSession(path);
        try
        {
            return Task.FromResult(ask(session));
        }
        catch (SqliteException error)
        {
            return Task.FromException<T>(new StoreUnavailableException("the embedded store could not read", error));
        }
        finally
        {
            readers.Add(session);
        }
    }
}
