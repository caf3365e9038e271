using System.Runtime.CompilerServices;
using Dbos.Application.Pipeline;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Transfer;

namespace Dbos.Infrastructure.Sqlite;

/// <summary>The marks of idempotency keys and the counters over all time, which commits write.</summary>
internal sealed class SqliteMarks(SqliteDatabase database, TimeProvider clock)
    : IIdempotencyMarks, ISubjectTransfer<StoredMark>, ISubjectTransfer<StoredCounter>
{
    private const int AtOnce = 1_000;

    private long Now => clock.GetUtcNow().ToUnixTimeMilliseconds();

    public Task<FirstAnswer?> Find(IdempotencyMark mark, string recordId, CancellationToken cancellation) => database.Read(
        session => session.MarkNamed(Names.Mark(mark.Name), Now) is { } found ? MarkValue.Read(found.Value.Span, mark.Content) : null);

    async IAsyncEnumerable<StoredMark> ISubjectTransfer<StoredMark>.Export([EnumeratorCancellation] CancellationToken cancellation)
    {
        var last = string.Empty;
        IReadOnlyList<StoredMark> some;
        do
        {
            some = await database.Read(session => session.ReadAll(
                row => new StoredMark(row.GetString(0), row.GetBytes(1), TimeSpan.FromMilliseconds(row.GetInt64(2) - Now)),
                "SELECT name, value, expires_at FROM mark WHERE name > $1 AND expires_at > $2 ORDER BY name LIMIT $3",
                last,
                Now,
                AtOnce));
            foreach (var mark in some)
            {
                yield return mark;
                last = mark.Name;
            }
        }
        while (some.Count == AtOnce);
    }

    Task ISubjectTransfer<StoredMark>.Import(IReadOnlyList<StoredMark> records, CancellationToken cancellation) => database.Write(
        session =>
        {
            foreach (var mark in records)
            {
                session.Put(mark, Now);
            }

            return true;
        },
        cancellation);

    async IAsyncEnumerable<StoredCounter> ISubjectTransfer<StoredCounter>.Export([EnumeratorCancellation] CancellationToken cancellation)
    {
        var counters = await database.Read(session => session.ReadAll(
            row => new StoredCounter(row.GetString(0), row.GetInt64(1)), "SELECT name, amount FROM count WHERE bucket = 0"));
        foreach (var counter in counters)
        {
            yield return counter;
        }
    }

    Task ISubjectTransfer<StoredCounter>.Import(IReadOnlyList<StoredCounter> records, CancellationToken cancellation) => database.Write(
        session =>
        {
            foreach (var counter in records)
            {
                session.Count(counter.Name, counter.Amount, bucket: 0);
            }

            return true;
        },
        cancellation);
}

/// <summary>The table of marks inside a transaction.</summary>
internal static class SqliteMarkTable
{
    public static StoredMark? MarkNamed(this SqliteSession session, string name, long now)
    {
        using var row = session.Read("SELECT value, expires_at FROM mark WHERE name = $1 AND expires_at > $2", name, now);
        return row.Read()
            ? new StoredMark(name, row.GetBytes(0), TimeSpan.FromMilliseconds(row.GetInt64(1) - now))
            : null;
    }

    public static void Put(this SqliteSession session, StoredMark mark, long now) => session.Run(
        "INSERT OR REPLACE INTO mark VALUES ($1, $2, $3)", mark.Name, mark.Value.ToArray(), now + (long)mark.Lifetime.TotalMilliseconds);
}
