using Dbos.Domain.Results;
using Dbos.Infrastructure.Sqlite.Events;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Sqlite.Results;

/// <summary>Rows of the table result, which are never updated.</summary>
internal static class SqliteResultTable
{
    public const string Columns =
        "id, agent_id, module_name, data, timestamp, received_at, agent_start_time, agent_runtime_version, module_revision, dbos_server_id, ingest_source, place";

    /// <summary>Behind the latest, should the clock have been set back.</summary>
    private const string Insert = $"""
        INSERT INTO result ({Columns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, max($12, (SELECT coalesce(max(place), 0) + 1 FROM result)))
        ON CONFLICT (id, agent_id) DO NOTHING
        """;

    /// <summary>Anywhere: at the first place from the given one that is free.</summary>
    private const string InsertAtPlace = $"""
        INSERT INTO result ({Columns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,
            (WITH RECURSIVE free (place) AS (SELECT $12 UNION ALL SELECT place + 1 FROM free WHERE EXISTS (SELECT 1 FROM result WHERE result.place = free.place))
             SELECT max(place) FROM free))
        ON CONFLICT (id, agent_id) DO NOTHING
        """;

    /// <returns>False: the agent has a result of this id, which is kept.</returns>
    public static bool Add(this SqliteSession session, MeasurementResult result, ReadOnlyMemory<byte> stored, DateTimeOffset now)
    {
        if (Run(session, Insert, result, Orders.Recency(now)) == 0)
        {
            return false;
        }

        session.LogEvent(stored, now);
        return true;
    }

    public static int AddAt(this SqliteSession session, MeasurementResult result, long place) => Run(session, InsertAtPlace, result, place);

    public static MeasurementResult? FindResult(this SqliteSession session, string agentId, string resultId)
    {
        using var row = session.Read($"SELECT {Columns} FROM result WHERE id = $1 AND agent_id = $2", resultId, agentId);
        return row.Read() ? ResultOf(row) : null;
    }

    public static MeasurementResult ResultOf(SqliteStatement row) => new(
        row.GetString(0),
        row.GetString(1),
        row.GetString(2),
        row.GetBytes(3),
        row.GetInt64(4),
        row.GetInt64(5),
        row.GetInt64(6),
        row.GetString(7),
        row.GetString(8),
        row.GetString(9),
        row.GetString(10));

    public static long PlaceOf(SqliteStatement row) => row.GetInt64(11);

    private static int Run(SqliteSession session, string insert, MeasurementResult result, long place) => session.Run(
        insert,
        result.Id,
        result.AgentId,
        result.ModuleName,
        result.Data.ToArray(),
        result.Timestamp,
        result.ReceivedAt,
        result.AgentStartTime,
        result.AgentRuntimeVersion,
        result.ModuleRevision,
        result.DbosServerId,
        result.IngestSource,
        place);
}
