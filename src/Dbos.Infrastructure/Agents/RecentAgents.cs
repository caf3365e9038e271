using System.Collections.Concurrent;

namespace Dbos.Infrastructure.Agents;

/// <summary>
/// Agents as this process saw or wrote them last, without the texts of their configs: what a heartbeat is decided on without a read.
/// Each commit checks that they are still so, so nothing depends on it.
/// </summary>
internal sealed class RecentAgents<T>
    where T : class
{
    /// <summary>About 50 MB with 10 config keys each. Beyond it any one goes: its next heartbeat costs a round trip more.</summary>
    private const int Most = 50_000;

    private readonly ConcurrentDictionary<string, T> agents = new();
    private int count;

    public T? Find(string agentId) => agents.GetValueOrDefault(agentId);

    public void Remember(string agentId, T agent)
    {
        if (agents.TryGetValue(agentId, out var before))
        {
            // Lost to a racer: the next heartbeat finds out.
            agents.TryUpdate(agentId, agent, before);
        }
        else if (agents.TryAdd(agentId, agent) && Interlocked.Increment(ref count) > Most)
        {
            Forget(agents.First(other => other.Key != agentId).Key);
        }
    }

    public void Forget(string agentId)
    {
        if (agents.TryRemove(agentId, out _))
        {
            Interlocked.Decrement(ref count);
        }
    }
}
