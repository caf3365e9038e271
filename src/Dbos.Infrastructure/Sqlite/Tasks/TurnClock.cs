namespace Dbos.Infrastructure.Sqlite.Tasks;

/// <summary>
/// Unix microseconds, each later than the one before: two takes within a millisecond, or after the clock was set back, still
/// serve one agent after the other. Used by the writer's thread alone.
/// </summary>
internal sealed class TurnClock
{
    private long? latest;

    public long Next(SqliteSession session, DateTimeOffset now)
    {
        // Once after the start: the turns that were stored before may be ahead of a clock that was set back.
        latest ??= Math.Max(Latest(session, "agent_turn"), Latest(session, "module_turn"));
        latest = Math.Max(latest.Value + 1, now.ToUnixTimeMilliseconds() * 1_000);
        return latest.Value;
    }

    private static long Latest(SqliteSession session, string table) => (long?)session.Scalar($"SELECT max(served) FROM {table}") ?? 0;
}
