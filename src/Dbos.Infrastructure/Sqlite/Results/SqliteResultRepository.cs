using System.Runtime.CompilerServices;
using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Application.Results;
using Dbos.Domain.Results;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Results;
using Dbos.Infrastructure.Sqlite.Events;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Transfer;
using Microsoft.Data.Sqlite;

namespace Dbos.Infrastructure.Sqlite.Results;

/// <summary>Results in the table result, whose rows are never updated.</summary>
internal sealed class SqliteResultRepository(SqliteDatabase database, TimeProvider clock) : IResultRepository, ISubjectTransfer<TransferredResult>
{
    private const int RowsOfOneExportPage = 100;

    private const string Columns =
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

    public Task<Written> Store(MeasurementResult result, CommitContext context, CancellationToken cancellation)
    {
        var told = EventWriter.Body(context.Events[0], context.Origin);
        return database.Write(
            session =>
            {
                var now = clock.GetUtcNow();
                if (context.Mark is { } mark && session.MarkNamed(Names.Mark(mark.Name), now.ToUnixTimeMilliseconds()) is { } set)
                {
                    var first = MarkValue.Read(set.Value.Span, mark.Content);
                    return new Written(first.Version, Duplicate: true) { ContentDiffers = first.ContentDiffers };
                }

                if (Add(session, Insert, result, Orders.Recency(now)) == 0)
                {
                    var kept = MeasurementResult.Store(Find(session, result.AgentId, result.Id), result).Next;
                    return new Written(MeasurementResult.Version, Duplicate: true) { ContentDiffers = !kept.HasSameData(result) };
                }

                if (context.Mark is { } unset)
                {
                    var value = MarkValue.Write(MeasurementResult.Version, unset.Content);
                    session.Put(new StoredMark(Names.Mark(unset.Name), value, IdempotencyMark.Lifetime), now.ToUnixTimeMilliseconds());
                }

                session.LogEvent(told, now);
                return new Written(MeasurementResult.Version, Duplicate: false);
            },
            cancellation);
    }

    public Task<MeasurementResult?> Find(string agentId, string resultId, CancellationToken cancellation) =>
        database.Read(session => Find(session, agentId, resultId));

    public Task<IReadOnlyList<ResultSummary>> FindOfRequest(string resultId, CancellationToken cancellation) =>
        database.Read<IReadOnlyList<ResultSummary>>(session => session.ReadAll(
            row => new ResultSummary(row.GetString(0), row.GetString(1), row.GetInt64(2), row.GetInt64(3)),
            "SELECT agent_id, module_name, length(data), received_at FROM result WHERE id = $1 ORDER BY agent_id LIMIT $2",
            resultId,
            ResultSummary.MostOfRequest));

    public Task<Page<MeasurementResult>> List(string agentId, PageRequest page, CancellationToken cancellation) => database.Read(session =>
    {
        var items = new List<MeasurementResult>();
        long bytes = 0;
        long last = 0;
        using var rows = Latest(session, agentId, page.After?.Score ?? long.MaxValue, page.Limit + 1);
        while (rows.Read())
        {
            var result = ResultOf(rows);
            var size = result.Data.Length + Text(result);
            if (items.Count == page.Limit || (items.Count > 0 && bytes + size > PageRequest.MostBytes))
            {
                return new Page<MeasurementResult>(items, new PageCursor(last, string.Empty)) { Bytes = bytes };
            }

            items.Add(result);
            bytes += size;
            last = PlaceOf(rows);
        }

        return new Page<MeasurementResult>(items, Next: null) { Bytes = bytes };
    },
    cost: StorePermits.CostOfEntries(page.Limit));

    public async IAsyncEnumerable<TransferredResult> Export([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var before = long.MaxValue;
        IReadOnlyList<TransferredResult> some;
        do
        {
            cancellation.ThrowIfCancellationRequested();
            some = await database.Read<IReadOnlyList<TransferredResult>>(session =>
            {
                var page = new List<TransferredResult>();
                using var rows = Latest(session, agentId: string.Empty, before, RowsOfOneExportPage);
                while (rows.Read())
                {
                    page.Add(new TransferredResult(ResultOf(rows), PlaceOf(rows)));
                }

                return page;
            });
            foreach (var one in some)
            {
                yield return one;
                before = one.StoredAt;
            }
        }
        while (some.Count > 0);
    }

    public Task Import(IReadOnlyList<TransferredResult> records, CancellationToken cancellation) => database.Write(
        session => records.Sum(record => Add(session, InsertAtPlace, record.Result, record.StoredAt)), cancellation);

    private static int Add(SqliteSession session, string insert, MeasurementResult result, long place) => session.Run(
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

    private static MeasurementResult? Find(SqliteSession session, string agentId, string resultId)
    {
        using var row = session.Read($"SELECT {Columns} FROM result WHERE id = $1 AND agent_id = $2", resultId, agentId);
        return row.Read() ? ResultOf(row) : null;
    }

    /// <param name="agentId">Empty: of all agents.</param>
    /// <param name="before">The place that is not reached.</param>
    private static SqliteStatement Latest(SqliteSession session, string agentId, long before, int count) => agentId.Length == 0
        ? session.Read($"SELECT {Columns} FROM result WHERE place < $1 ORDER BY place DESC LIMIT $2", before, count)
        : session.Read($"SELECT {Columns} FROM result WHERE agent_id = $1 AND place < $2 ORDER BY place DESC LIMIT $3", agentId, before, count);

    private static MeasurementResult ResultOf(SqliteStatement row) => new(
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

    private static long PlaceOf(SqliteStatement row) => row.GetInt64(11);

    /// <summary>About how many bytes of a reply the rest of a result takes.</summary>
    private static int Text(MeasurementResult result) => 64 + result.Id.Length + result.AgentId.Length + result.ModuleName.Length
        + result.AgentRuntimeVersion.Length + result.ModuleRevision.Length + result.DbosServerId.Length + result.IngestSource.Length;
}
