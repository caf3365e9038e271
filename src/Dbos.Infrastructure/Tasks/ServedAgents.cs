using System.Collections.Concurrent;

namespace Dbos.Infrastructure.Tasks;

/// <summary>
/// When this process last took tasks of an agent. The turns tell it as long as the lanes that were taken from have more; of an agent
/// with very many lanes, that is not enough.
/// </summary>
internal sealed class ServedAgents
{
    /// <summary>Some MB. Those who were not served lately are forgotten.</summary>
    private const int MostOfAGeneration = 10_000;

    private volatile ConcurrentDictionary<string, long> lately = new();
    private volatile ConcurrentDictionary<string, long> before = new();

    /// <summary>Unix milliseconds; 0: not lately.</summary>
    public long this[string agentId] =>
        lately.TryGetValue(agentId, out var at) || before.TryGetValue(agentId, out at) ? at : 0;

    public void Hear(string agentId, long at)
    {
        if (lately.Count >= MostOfAGeneration)
        {
            (before, lately) = (lately, new());
        }

        lately[agentId] = at;
    }
}
