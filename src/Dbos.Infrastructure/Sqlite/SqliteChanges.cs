using System.Text.Json;
using Dbos.Infrastructure.Store;
using static Dbos.Infrastructure.Sqlite.SqliteRows;

namespace Dbos.Infrastructure.Sqlite;

/// <summary>What the writer does inside a transaction: a commit or a take, as commit.lua and take.lua do on Redis.</summary>
internal static class SqliteChanges
{
    public static CommitOutcome Apply(this SqliteSession session, Commit commit, long now)
    {
        if (commit.Mark is { } mark && session.MarkNamed(mark.Name, now) is { } value)
        {
            return new CommitOutcome.Marked(value);
        }

        var version = (long?)session.Scalar(
            "SELECT version FROM record WHERE name = $1 AND (expires_at IS NULL OR expires_at > $2)", commit.Record, now) ?? 0;
        if (version != commit.ExpectedVersion)
        {
            return new CommitOutcome.Conflict(session.RecordNamed(commit.Record, now));
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
            session.Tell(EventLogName.History, told);
        }

        foreach (var change in commit.Indexes)
        {
            session.Change(change);
        }

        return CommitOutcome.Done.Instance;
    }

    public static List<Delivery> Apply(this SqliteSession session, Take take, long now)
    {
        var leasedUntil = now + (long)take.Lease.TotalMilliseconds;
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
            session.Change(new IndexChange(take.From, candidate.Member, null));
            session.Change(new IndexChange(take.To, candidate.Member, leasedUntil));
            taken.Add(new Delivery(candidate.Member, due.Value, session.RecordNamed(candidate.Record, now: 0)!));
        }

        if (taken.Count > 0)
        {
            var deliveries = taken.ToDictionary(delivery => delivery.Member, delivery => delivery.Record.Deliveries);
            session.Tell(EventLogName.History,
                (byte[])[.. take.Told.Head.Span, .. JsonSerializer.SerializeToUtf8Bytes(deliveries), .. take.Told.Tail.Span]);
        }

        return taken;
    }
}
