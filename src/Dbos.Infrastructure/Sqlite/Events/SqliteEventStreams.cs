using Dbos.Application.Events;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Store;
using Microsoft.Data.Sqlite;

namespace Dbos.Infrastructure.Sqlite.Events;

/// <summary>A table for each of the two streams. A position is the row's instant and its number.</summary>
public sealed class SqliteEventStreams(SqliteDatabase database, TimeProvider clock) : IEventStreams
{
    public int Partitions => 1;

    public int PartitionOf(string id) => 0;

    public Task<string> Generation(CancellationToken cancellation) =>
        database.Read(session => (string)session.Scalar("SELECT generation FROM layout")!);

    public Task<IReadOnlyList<StoredEvent>> Backward(EventStreamKey stream, StreamPosition? from, int count, CancellationToken cancellation) =>
        Rows(
            IsHistory(stream)
                ? "SELECT at, seq, event FROM event WHERE seq <= $1 ORDER BY seq DESC LIMIT $2"
                : "SELECT at, seq, event FROM refusal WHERE seq <= $1 ORDER BY seq DESC LIMIT $2",
            from?.Sequence ?? long.MaxValue,
            count);

    public Task<IReadOnlyList<StoredEvent>> Forward(EventStreamKey stream, StreamPosition? from, int count, CancellationToken cancellation) =>
        Rows(
            IsHistory(stream)
                ? "SELECT at, seq, event FROM event WHERE seq >= $1 ORDER BY seq LIMIT $2"
                : "SELECT at, seq, event FROM refusal WHERE seq >= $1 ORDER BY seq LIMIT $2",
            from?.Sequence ?? 0,
            count);

    /// <summary>By bisection, as rows are in the order of their instants.</summary>
    public Task<StreamPosition?> LastBefore(EventStreamKey stream, long milliseconds, CancellationToken cancellation) => database.Read(session =>
    {
        var (low, high) = Bounds(session, stream);
        StreamPosition? last = null;
        while (low <= high)
        {
            var middle = low + ((high - low) / 2);
            var at = (long)session.Scalar(
                IsHistory(stream) ? "SELECT at FROM event WHERE seq = $1" : "SELECT at FROM refusal WHERE seq = $1", middle)!;
            if (at < milliseconds)
            {
                last = new StreamPosition(at, middle);
                low = middle + 1;
            }
            else
            {
                high = middle - 1;
            }
        }

        return last;
    });

    /// <summary>Rows are numbered from 1.</summary>
    public Task<bool> MayBeTrimmed(EventStreamKey stream, CancellationToken cancellation) =>
        database.Read(session => Bounds(session, stream).First > 1);

    public Task<long> Length(EventStreamKey stream, CancellationToken cancellation) => database.Read(session =>
    {
        var (first, last) = Bounds(session, stream);
        return last - first + 1;
    });

    public Task LogRefusal(int partition, ReadOnlyMemory<byte> body, CancellationToken cancellation) => database.Write(
        session =>
        {
            session.LogRefusal(body, clock.GetUtcNow());
            return true;
        },
        cancellation);

    public Task Import(EventStreamKey stream, IReadOnlyList<ReadOnlyMemory<byte>> events, CancellationToken cancellation) => database.Write(
        session =>
        {
            foreach (var json in events)
            {
                session.Insert(stream.Log, EventJson.TimeOf(json.Span), json.ToArray());
            }

            return true;
        },
        cancellation);

    private Task<IReadOnlyList<StoredEvent>> Rows(string sql, long from, int count) =>
        database.Read<IReadOnlyList<StoredEvent>>(session => session.ReadAll(EventOf, sql, from, count), cost: StorePermits.CostOfEntries(count));

    private static StoredEvent EventOf(SqliteStatement row) =>
        new(new StreamPosition(row.GetInt64(0), row.GetInt64(1)), row.GetBytes(2));

    /// <summary>The numbers of the first and the last row, between which none is missing; (1, 0): there is no row.</summary>
    private static (long First, long Last) Bounds(SqliteSession session, EventStreamKey stream)
    {
        using var row = session.Read(IsHistory(stream)
            ? "SELECT coalesce((SELECT min(seq) FROM event), 1), coalesce((SELECT max(seq) FROM event), 0)"
            : "SELECT coalesce((SELECT min(seq) FROM refusal), 1), coalesce((SELECT max(seq) FROM refusal), 0)");
        row.Read();
        return (row.GetInt64(0), row.GetInt64(1));
    }

    private static bool IsHistory(EventStreamKey stream) => stream.Log == EventLogName.History;
}
