namespace Dbos.Domain.Agents;

/// <summary>
/// What a heartbeat tells. Times are Unix seconds, 0: not told. An empty hostname or config: not told.
/// </summary>
/// <param name="TotalHeartbeats">The caller's own count; 0: not reported.</param>
public sealed record Heartbeat(
    string AgentId,
    string Hostname,
    bool Alive,
    long LastSeen,
    long FirstSeen,
    IReadOnlyDictionary<string, ConfigValue> Config,
    int TotalHeartbeats);
