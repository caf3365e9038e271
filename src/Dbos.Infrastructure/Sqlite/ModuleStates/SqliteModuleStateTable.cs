using System.Globalization;
using System.Text;
using System.Text.Json;
using Dbos.Application.ModuleStates;
using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Domain.ModuleStates;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.ModuleStates;
using Dbos.Infrastructure.Sqlite.Events;
using Dbos.Infrastructure.Store;
using Microsoft.Data.Sqlite;

namespace Dbos.Infrastructure.Sqlite.ModuleStates;

/// <summary>Rows of the table module_state.</summary>
internal static class SqliteModuleStateTable
{
    private const string Select =
        "SELECT id, agent_id, module_name, state, error_message, details, timestamp, request_id, version, changed_at FROM module_state ";

    private static readonly IReadOnlyDictionary<string, string> NoDetails = new Dictionary<string, string>();

    public static (long Id, ModuleState State)? FindState(this SqliteSession session, string requestId, string agentId, string moduleName) =>
        requestId.Length > 0
            ? First(session, Select + "WHERE request_id = $1 AND agent_id = $2", requestId, agentId)
            : First(session, Select + "WHERE request_id = '' AND agent_id = $1 AND module_name = $2", agentId, moduleName);

    public static ModuleState? LatestState(this SqliteSession session, string requestId) =>
        First(session, Select + "WHERE request_id = $1 ORDER BY changed_at DESC, id DESC LIMIT 1", requestId)?.State;

    public static void InsertState(this SqliteSession session, ModuleState state, long changedAt) => session.Run(
        """
        INSERT INTO module_state (request_id, agent_id, module_name, version, state, timestamp, changed_at, error_message, details)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        """,
        state.RequestId,
        state.AgentId,
        state.ModuleName,
        state.Version,
        state.State.Word(),
        state.Timestamp,
        changedAt,
        state.ErrorMessage,
        Json(state.Details));

    public static void UpdateState(this SqliteSession session, long id, ModuleState state, long changedAt) => session.Run(
        "UPDATE module_state SET version = $2, state = $3, timestamp = $4, changed_at = $5, error_message = $6, details = $7 WHERE id = $1",
        id,
        state.Version,
        state.State.Word(),
        state.Timestamp,
        changedAt,
        state.ErrorMessage,
        Json(state.Details));

    /// <summary>Writes the state that was decided on, with its event.</summary>
    /// <param name="id">Of the row that is stored; null: none is.</param>
    public static void Write(this SqliteSession session, long? id, Decision<ModuleState> decision, Origin origin, DateTimeOffset now)
    {
        if (id is { } row)
        {
            session.UpdateState(row, decision.Next, Orders.Recency(now));
        }
        else
        {
            session.InsertState(decision.Next, Orders.Recency(now));
        }

        var (head, tail) = EventWriter.Parts(decision.Events[0], origin);
        session.LogEvent((byte[])[.. head.Span, .. Encoding.ASCII.GetBytes($",\"version\":{decision.Next.Version}"), .. tail.Span], now);
    }

    /// <summary>Fills the page with what follows its cursor, latest first.</summary>
    public static void ReadStates(this SqliteSession session, StateFilter filter, ModuleStatePage page)
    {
        // The most selective index alone: the page applies what is left of the filter.
        var where = (filter.RequestId, filter.AgentId, filter.ModuleName) switch
        {
            ({ Length: > 0 }, { Length: > 0 }, _) => "WHERE request_id = $1 AND agent_id = $2",
            ({ Length: > 0 }, _, _) => "WHERE request_id = $1",
            (_, { Length: > 0 }, { Length: > 0 }) => "WHERE agent_id = $2 AND module_name = $3",
            (_, { Length: > 0 }, _) => "WHERE agent_id = $2",
            (_, _, { Length: > 0 }) => "WHERE module_name = $3",
            _ => "WHERE 1",
        };
        var (changedAt, id) = page.After is { } after
            ? (after.Score, long.TryParse(after.Member, CultureInfo.InvariantCulture, out var number) ? number : 0)
            : (long.MaxValue, long.MaxValue);
        using var row = session.Read(
            Select + where + " AND (changed_at, id) < ($4, $5) ORDER BY changed_at DESC, id DESC", filter.RequestId, filter.AgentId, filter.ModuleName, changedAt, id);
        while (!page.IsFull && row.Read())
        {
            page.Add(StateOf(row), new PageCursor(ChangedAtOf(row), row.GetInt64(0).ToString(CultureInfo.InvariantCulture)));
        }
    }

    /// <summary>So many states behind an id, by id.</summary>
    public static List<(long Id, StoredModuleState State)> StatesBehind(this SqliteSession session, long id, int count) => session.ReadAll(
        row => (row.GetInt64(0), new StoredModuleState(StateOf(row), ChangedAtOf(row))), Select + "WHERE id > $1 ORDER BY id LIMIT $2", id, count);

    private static (long Id, ModuleState State)? First(SqliteSession session, string sql, params ReadOnlySpan<object?> parameters)
    {
        using var row = session.Read(sql, parameters);
        return row.Read() ? (row.GetInt64(0), StateOf(row)) : null;
    }

    private static ModuleState StateOf(SqliteStatement row) => new(
        row.GetString(1),
        row.GetString(2),
        RunStateWords.Parse(row.GetString(3))!.Value,
        row.GetString(4),
        row.IsDBNull(5) ? NoDetails : JsonSerializer.Deserialize<Dictionary<string, string>>(row.GetString(5))!,
        row.GetInt64(6),
        row.GetString(7),
        row.GetInt64(8));

    private static long ChangedAtOf(SqliteStatement row) => row.GetInt64(9);

    private static string? Json(IReadOnlyDictionary<string, string> details) => details.Count == 0 ? null : JsonSerializer.Serialize(details);
}
