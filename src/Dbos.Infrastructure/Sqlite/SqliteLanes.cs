using Dbos.Infrastructure.Store;
using static Dbos.Infrastructure.Sqlite.SqliteRows;

namespace Dbos.Infrastructure.Sqlite;

/// <summary>The turns of a lane inside a transaction, as turns.lua keeps them on Redis.</summary>
internal static class SqliteLanes
{
    public static void Enter(this SqliteSession session, LaneChange change, long due, long now)
    {
        var (lane, band, member, _) = change;
        var score = Bands.Score(band, due);
        var first = session.Head(lane, band);
        session.Change(new IndexChange(lane.Index, member, score));
        if (score >= first)
        {
            return;
        }

        var was = session.TurnOf(lane, band);
        if (was is null || first is null || was == first)
        {
            session.Come(lane, band, score, was, now);
        }
    }

    public static void Leave(this SqliteSession session, LaneChange change, long now)
    {
        var (lane, band, member, _) = change;
        session.Change(new IndexChange(lane.Index, member, null));
        if (session.Head(lane, band) is { } first)
        {
            var was = session.TurnOf(lane, band);
            session.Come(lane, band, Math.Max(first, was ?? first), was, now);
        }
        else
        {
            session.Go(lane, band);
        }
    }

    /// <summary>It was taken from: what is left of it stands behind those that were due by now.</summary>
    public static void Serve(this SqliteSession session, Lane lane, int band, long now)
    {
        if (session.Head(lane, band) is { } first)
        {
            var served = Bands.Score(band, now);
            session.Come(lane, band, Math.Max(first, served), served, now);
        }
        else
        {
            session.Go(lane, band);
        }
    }

    private static long? Head(this SqliteSession session, Lane lane, int band) =>
        (long?)session.Scalar(
            "SELECT score FROM entry WHERE name = $1 AND score >= $2 AND score < $3 ORDER BY score LIMIT 1",
            lane.Index,
            Bands.Score(band, 0),
            Bands.Score(band + 1, 0));

    private static long? TurnOf(this SqliteSession session, Lane lane, int band) =>
        session.ScoreOf(lane.Turns[0], lane.TurnOf(band));

    /// <summary>Whoever waits for a turn is told when one comes that was not there, or not due.</summary>
    private static void Come(this SqliteSession session, Lane lane, int band, long score, long? was, long now)
    {
        foreach (var turns in lane.Turns)
        {
            session.Change(new IndexChange(turns, lane.TurnOf(band), score));
        }

        var due = Bands.Score(band, now);
        var soon = due + (long)Turn.Horizon.TotalMilliseconds;
        if (score <= soon && (was is null || was > due || score > due))
        {
            session.Turns.Add(new Turn(lane.Name, Bands.DueOf(score)));
        }
    }

    private static void Go(this SqliteSession session, Lane lane, int band)
    {
        foreach (var turns in lane.Turns)
        {
            session.Change(new IndexChange(turns, lane.TurnOf(band), null));
        }
    }
}
