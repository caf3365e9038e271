using System.Text.Json;
using Dbos.Infrastructure.Sqlite.Events;
using Dbos.Infrastructure.Store;
using static Dbos.Infrastructure.Sqlite.SqliteRows;

namespace Dbos.Infrastructure.Sqlite;

/// <summary>What the writer does inside a transaction: a commit or a take, as commit.lua and take.lua do on Redis.</summary>
internal static class SqliteChanges
{
    public static CommitOutcome Apply(this SqliteSession session, Commit commit, DateTimeOffset now)
    {
        var ms = now.ToUnixTimeMilliseconds();
        if (commit.Mark is { } mark && session.MarkNamed(mark.Name, ms) is { } first)
        {
            return new CommitOutcome.Marked(first.Value);
        }

        var stored = session.VersionOf(commit.Record);
        if (stored.Version != commit.ExpectedVersion)
        {
            return new CommitOutcome.Conflict(session.RecordNamed(commit.Record));
        }

        session.Write(commit, isNew: stored.Version == 0);
        if (stored.DeliveryToTellOf is { } delivery && commit.Lease == LeaseChange.Ends)
        {
            session.Ended.Add((commit.Record, delivery));
        }

        if (commit.Mark is { } set)
        {
            session.Put(set, ms);
        }

        foreach (var told in commit.Events)
        {
            session.LogEvent(told, now);
        }

        foreach (var change in commit.Indexes)
        {
            session.Change(change);
        }

        foreach (var change in commit.Lanes)
        {
            if (change.Due is { } due)
            {
                session.Enter(change, due, ms);
            }
            else
            {
                session.Leave(change, ms);
            }
        }

        foreach (var name in commit.Counts)
        {
            session.Count(name, 1, now);
        }

        return CommitOutcome.Done.Instance;
    }

    public static List<Delivery> Apply(this SqliteSession session, Take take, DateTimeOffset now)
    {
        var leasedUntil = (now + take.Lease).ToUnixTimeMilliseconds();
        long budget = take.ByteBudget;
        var taken = new List<Delivery>();
        var served = new HashSet<TakeSource>(ReferenceEqualityComparer.Instance);
        foreach (var (member, record, source) in take.Candidates.TakeWhile(_ => taken.Count < take.Limit))
        {
            var score = session.ScoreOf(source.Lane.Index, member);
            if (score is null || score > Bands.Score(source.Band, take.Due))
            {
                continue;
            }

            // A member without its record is left to the audit.
            if (session.Scalar("SELECT length(document) + coalesce(length(payload), 0) FROM record WHERE name = $1", record) is not long size)
            {
                continue;
            }

            budget -= size;
            if (budget < 0 && !(take.AtLeastOne && taken.Count == 0))
            {
                break;
            }

            session.Run(
                "UPDATE record SET version = version + 1, deliveries = deliveries + 1, leased_until = $2, tells_end = $3 WHERE name = $1",
                record,
                leasedUntil,
                take.TellsEnd);
            foreach (var index in source.Leaves.Append(source.Lane.Index))
            {
                session.Change(new IndexChange(index, member, null));
            }

            foreach (var index in source.Enters)
            {
                session.Change(new IndexChange(index, member, leasedUntil));
            }

            served.Add(source);
            taken.Add(new Delivery(member, score.Value, session.RecordNamed(record)!));
        }

        foreach (var source in served)
        {
            session.Serve(source.Lane, source.Band, take.ServedAt);
        }

        if (taken.Count > 0)
        {
            session.Count(take.Count, taken.Count, now);
            var deliveries = taken.ToDictionary(delivery => delivery.Member, delivery => delivery.Record.Deliveries);
            var owners = served.Select(source => source.Owner).Where(owner => owner.Length > 0).Distinct();
            byte[] body =
            [
                .. take.Told.Head.Span, .. JsonSerializer.SerializeToUtf8Bytes(deliveries),
                .. take.Told.Middle.Span, .. JsonSerializer.SerializeToUtf8Bytes(owners), .. take.Told.Tail.Span,
            ];
            session.LogEvent(body, now);
        }

        return taken;
    }

    /// <summary>Its version, and its delivery if there is one whose end is to be told.</summary>
    private static (long Version, long? DeliveryToTellOf) VersionOf(this SqliteSession session, string record)
    {
        using var row = session.Read(
            "SELECT version, deliveries, tells_end AND leased_until IS NOT NULL FROM record WHERE name = $1", record);
        return row.Read() ? (row.GetInt64(0), row.GetBoolean(2) ? row.GetInt64(1) : null) : (0, null);
    }

    private static void Write(this SqliteSession session, Commit commit, bool isNew)
    {
        if (commit.Deletes)
        {
            session.Run("DELETE FROM record WHERE name = $1", commit.Record);
        }
        else if (isNew)
        {
            session.Run(
                "INSERT INTO record (name, version, document, payload, leased_until) VALUES ($1, $2, $3, $4, $5)",
                commit.Record,
                commit.NextVersion,
                Bytes(commit.Document),
                Bytes(commit.Payload),
                commit.Lease.HeldUntil?.ToUnixTimeMilliseconds());
        }
        else
        {
            session.Run(
                """
                UPDATE record SET version = $2, document = $3, payload = coalesce($4, payload),
                    leased_until = CASE WHEN $5 THEN $6 ELSE leased_until END WHERE name = $1
                """,
                commit.Record,
                commit.NextVersion,
                Bytes(commit.Document),
                Bytes(commit.Payload),
                commit.Lease.IsChange,
                commit.Lease.HeldUntil?.ToUnixTimeMilliseconds());
        }
    }

    /// <summary>Over all time, which is bucket 0, and in the bucket of now.</summary>
    public static void Count(this SqliteSession session, string name, int amount, DateTimeOffset now)
    {
        foreach (var bucket in (ReadOnlySpan<long>)[0, CountBuckets.Of(now)])
        {
            session.Count(name, amount, bucket);
        }
    }
}
