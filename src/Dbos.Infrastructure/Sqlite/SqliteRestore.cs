using Dbos.Infrastructure.Store;
using static Dbos.Infrastructure.Sqlite.SqliteRows;

namespace Dbos.Infrastructure.Sqlite;

/// <summary>What an import puts back inside a transaction, as restore.lua does on Redis.</summary>
internal static class SqliteRestore
{
    public static void Apply(this SqliteSession session, Restoration restoration, long now)
    {
        foreach (var (name, record, indexes, lanes) in restoration.Records)
        {
            session.Run(
                "INSERT INTO record (name, version, document, payload, deliveries, leased_until) VALUES ($1, $2, $3, $4, $5, $6)",
                name,
                record.Version,
                Bytes(record.Document),
                record.Payload.IsEmpty ? null : Bytes(record.Payload),
                record.Deliveries,
                record.LeasedUntil?.ToUnixTimeMilliseconds());
            foreach (var change in indexes)
            {
                session.Change(change);
            }

            foreach (var change in lanes)
            {
                session.Enter(change, change.Due!.Value, now);
            }
        }

        foreach (var mark in restoration.Marks)
        {
            session.Put(mark, now);
        }

        foreach (var (name, amount) in restoration.Counts)
        {
            session.Count(name, amount, bucket: 0);
        }
    }
}
