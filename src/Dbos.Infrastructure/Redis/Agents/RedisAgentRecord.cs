using System.Globalization;
using Dbos.Application.Pipeline;
using Dbos.Domain.Agents;
using Dbos.Infrastructure.Agents;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis.Agents;

/// <summary>
/// An agent as Redis keeps it: a hash whose field "state" holds all that each heartbeat changes, separated by spaces, beside fields that
/// are written only when they change.
/// </summary>
/// <param name="Written">"version operation" of the write that made it: no other write makes the same.</param>
internal sealed record RedisAgentRecord(Agent Agent, string Written) : IVersioned
{
    private const string State = "state", Hostname = "hostname", Config = "config", Learned = "learned", Changes = "changes";

    public static readonly object[] Fields = [State, Hostname, Config, Learned, Changes];

    public long Version => Agent.Version;

    /// <summary>As it is remembered, without texts of the config.</summary>
    public RedisAgentRecord Bare => this with { Agent = Agent with { Config = Agent.Config.WithoutTexts() } };

    /// <summary>The state without version and operation.</summary>
    public static string StateOf(Agent agent) => string.Create(
        CultureInfo.InvariantCulture,
        $"{(agent.Alive ? 1 : 0)} {agent.HeardAt.ToUnixTimeMilliseconds()} {agent.LastSeen} {agent.FirstSeen} {agent.Heartbeats.Total} {AgentDocuments.Callers(agent.Heartbeats)}");

    /// <summary>The further fields that a change writes: how many, then the name and value of each.</summary>
    /// <param name="before">Null: the agent is new.</param>
    public static void AddFields(List<RedisValue> values, Agent? before, Agent next)
    {
        var count = values.Count;
        values.Add(0);
        if (next.Hostname != before?.Hostname)
        {
            values.Add(Hostname);
            values.Add(next.Hostname);
        }

        if (!ReferenceEquals(next.Config.Steady, before?.Config.Steady))
        {
            values.Add(Config);
            values.Add(AgentDocuments.Steady(next.Config));
        }

        if (!ReferenceEquals(next.Config.Changing, before?.Config.Changing) || !ReferenceEquals(next.Config.Volatile, before?.Config.Volatile))
        {
            values.Add(Learned);
            values.Add(AgentDocuments.Learned(next.Config));
        }

        if (!ReferenceEquals(next.Changes, before?.Changes))
        {
            values.Add(Changes);
            values.Add(AgentDocuments.Changes(next.Changes));
        }

        values[count] = (values.Count - count - 1) / 2;
    }

    /// <param name="fields">In the order of <see cref="Fields"/>.</param>
    /// <returns>Null: there is none.</returns>
    public static RedisAgentRecord? Read(string agentId, ReadOnlySpan<RedisResult> fields)
    {
        if ((string?)fields[0] is not { } state)
        {
            return null;
        }

        var parts = state.Split(' ');
        var agent = new Agent(
            agentId,
            (string)fields[1]!,
            parts[2] == "1",
            Number(parts[4]),
            Number(parts[5]),
            AgentDocuments.Config((byte[])fields[2]!, (byte[])fields[3]!),
            new HeartbeatCount((int)Number(parts[6]), AgentDocuments.ReadCallers(parts[7])),
            DateTimeOffset.FromUnixTimeMilliseconds(Number(parts[3])),
            Number(parts[0]))
        {
            Changes = AgentDocuments.ReadChanges((byte[])fields[4]!),
        };
        return new RedisAgentRecord(agent, $"{parts[0]} {parts[1]}");
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
