using Dbos.Wire;
using Task = System.Threading.Tasks.Task;

namespace Dbos.Benchmarks.Network;

/// <summary>The heartbeats of a network's agents, one agent after the other.</summary>
internal sealed class Agents
{
    private const int ConfigBytes = 3_072;

    private readonly RegisterAgentRequest[] heartbeats;

    public Agents(int agents) => heartbeats = [.. Enumerable.Range(0, agents).Select(First)];

    /// <summary>The heartbeat of the next agent, with another <c>timestamp</c> in its configuration each time.</summary>
    public Task BeatWithTimestamp(DBOS.DBOSClient client, int number)
    {
        heartbeats[number % heartbeats.Length].Agent.Config["timestamp"] = DateTimeOffset.UtcNow.ToString("O");
        return Beat(client, number);
    }

    /// <summary>The heartbeat of the next agent, with the configuration of its last one.</summary>
    public async Task Beat(DBOS.DBOSClient client, int number)
    {
        var heartbeat = heartbeats[number % heartbeats.Length];
        heartbeat.Agent.LastSeen = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        heartbeat.Agent.TotalHeartbeats++;
        var answer = await client.RegisterAgentAsync(heartbeat);
        if (!answer.Success)
        {
            throw new InvalidOperationException($"A heartbeat was refused: {answer.Error}");
        }
    }

    public static string IdOf(int i) => $"agent-{i:D5}";

    private static RegisterAgentRequest First(int i) => new()
    {
        Agent = new Agent
        {
            Id = IdOf(i),
            Hostname = $"probe-{i}.example.net",
            Alive = true,
            FirstSeen = DateTimeOffset.UtcNow.ToUnixTimeSeconds(),
            Config = { ["modules"] = $"{i}:".PadRight(ConfigBytes, 'x') },
        },
    };
}
