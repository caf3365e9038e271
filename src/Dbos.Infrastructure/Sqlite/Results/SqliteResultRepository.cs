using System.Runtime.CompilerServices;
using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Application.Results;
using Dbos.Domain.Results;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Results;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Transfer;
using static Dbos.Infrastructure.Sqlite.Results.SqliteResultTable;

namespace Dbos.Infrastructure.Sqlite.Results;

/// <summary>Results in the table result, whose rows are never updated.</summary>
internal sealed class SqliteResultRepository(SqliteDatabase database, TimeProvider clock) : IResultRepository, ISubjectTransfer<TransferredResult>
{
    private const int RowsOfOneExportPage = 100;

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

                if (!session.Add(result, told, now))
                {
                    var kept = MeasurementResult.Store(session.FindResult(result.AgentId, result.Id), result).Next;
                    return new Written(MeasurementResult.Version, Duplicate: true) { ContentDiffers = !kept.HasSameData(result) };
                }

                if (context.Mark is { } unset)
                {
                    var value = MarkValue.Write(MeasurementResult.Version, unset.Content);
                    session.Put(new StoredMark(Names.Mark(unset.Name), value, IdempotencyMark.Lifetime), now.ToUnixTimeMilliseconds());
                }

                return new Written(MeasurementResult.Version, Duplicate: false);
            },
            cancellation);
    }

    public Task<MeasurementResult?> Find(string agentId, string resultId, CancellationToken cancellation) =>
        database.Read(session => session.FindResult(agentId, resultId));

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
        session => records.Sum(record => session.AddAt(record.Result, record.StoredAt)), cancellation);

    /// <param name="agentId">Empty: of all agents.</param>
    /// <param name="before">The place that is not reached.</param>
    private static SqliteStatement Latest(SqliteSession session, string agentId, long before, int count) => agentId.Length == 0
        ? session.Read($"SELECT {Columns} FROM result WHERE place < $1 ORDER BY place DESC LIMIT $2", before, count)
        : session.Read($"SELECT {Columns} FROM result WHERE agent_id = $1 AND place < $2 ORDER BY place DESC LIMIT $3", agentId, before, count);

    /// <summary>About how many bytes of a reply the rest of a result takes.</summary>
    private static int Text(MeasurementResult result) => 64 + result.Id.Length + result.AgentId.Length + result.ModuleName.Length
        + result.AgentRuntimeVersion.Length + result.ModuleRevision.Length + result.DbosServerId.Length + result.IngestSource.Length;
}
