using Dbos.Application.Agents;
using Dbos.Domain.Agents;
using Dbos.Infrastructure.Agents;
using Microsoft.Data.Sqlite;

namespace Dbos.Infrastructure.Sqlite.Agents;

/// <summary>Agents as rows of the tables agent, agent_config and agent_history.</summary>
internal static class SqliteAgentRows
{
    private const string Columns =
        "id, version, hostname, alive, heard_at, last_seen, first_seen, total_heartbeats, callers, learned";

    public static Agent? FindAgent(this SqliteSession session, string agentId, Agent? remembered = null)
    {
        byte[] learned;
        Agent agent;
        using (var row = session.Read($"SELECT {Columns} FROM agent WHERE id = $1", agentId))
        {
            if (!row.Read())
            {
                return null;
            }

            if (remembered?.Version == row.GetInt64(1))
            {
                return remembered;
            }

            (agent, learned) = Read(row);
        }

        var config = (byte[])session.Scalar("SELECT steady FROM agent_config WHERE agent_id = $1", agentId)!;
        var changes = (byte[])session.Scalar("SELECT changes FROM agent_history WHERE agent_id = $1", agentId)!;
        return agent with { Config = AgentDocuments.Config(config, learned), Changes = AgentDocuments.ReadChanges(changes) };
    }

    /// <summary>By id, ascending, each with about its bytes; read one after the other.</summary>
    public static IEnumerable<(Agent Agent, long Bytes)> AgentsAfter(
        this SqliteSession session, string after, AgentFilter filter, DateTimeOffset now, int limit)
    {
        var alive = filter switch
        {
            AgentFilter.Alive => "AND deadline > $3",
            AgentFilter.Lost => "AND coalesce(deadline, 0) <= $3",
            _ => "AND $3 IS NOT NULL",
        };
        using var row = session.Read(
            $"SELECT {Columns}, steady, changes FROM agent JOIN agent_config c ON c.agent_id = id JOIN agent_history h ON h.agent_id = id "
            + $"WHERE id > $1 {alive} ORDER BY id LIMIT $2",
            after,
            limit,
            now.ToUnixTimeMilliseconds());
        while (row.Read())
        {
            var (agent, learned) = Read(row);
            var (config, changes) = (row.GetBytes(10), row.GetBytes(11));
            yield return (
                agent with { Config = AgentDocuments.Config(config, learned), Changes = AgentDocuments.ReadChanges(changes) },
                agent.Hostname.Length + learned.Length + config.Length + changes.Length);
        }
    }

    /// <param name="before">As it is stored; null: it is not.</param>
    /// <param name="deadline">Unix ms at which it is lost; null: it is.</param>
    public static void WriteAgent(this SqliteSession session, Agent? before, Agent next, long? deadline)
    {
        var isLearned = !ReferenceEquals(next.Config.Changing, before?.Config.Changing) || !ReferenceEquals(next.Config.Volatile, before?.Config.Volatile);
        session.Run(
            before is null
                ? $"INSERT INTO agent ({Columns}, deadline) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
                : "UPDATE agent SET version = $2, hostname = $3, alive = $4, heard_at = $5, last_seen = $6, first_seen = $7, total_heartbeats = $8, "
                    + "callers = $9, learned = coalesce($10, learned), deadline = $11 WHERE id = $1",
            next.Id,
            next.Version,
            next.Hostname,
            next.Alive,
            next.HeardAt.ToUnixTimeMilliseconds(),
            next.LastSeen,
            next.FirstSeen,
            next.Heartbeats.Total,
            AgentDocuments.Callers(next.Heartbeats),
            isLearned ? AgentDocuments.Learned(next.Config) : null,
            deadline);
        if (!ReferenceEquals(next.Config.Steady, before?.Config.Steady))
        {
            session.Run("INSERT OR REPLACE INTO agent_config VALUES ($1, $2)", next.Id, AgentDocuments.Steady(next.Config));
        }

        if (!ReferenceEquals(next.Changes, before?.Changes))
        {
            session.Run("INSERT OR REPLACE INTO agent_history VALUES ($1, $2)", next.Id, AgentDocuments.Changes(next.Changes));
        }
    }

    /// <summary>Without config and changes, which lie in tables of their own.</summary>
    private static (Agent Agent, byte[] Learned) Read(SqliteStatement row) => (
        new Agent(
            row.GetString(0),
            row.GetString(2),
            row.GetBoolean(3),
            row.GetInt64(5),
            row.GetInt64(6),
            AgentConfig.Empty,
            new HeartbeatCount(row.GetInt32(7), AgentDocuments.ReadCallers(row.GetString(8))),
            DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(4)),
            row.GetInt64(1)),
        row.GetBytes(9));
}
