namespace Dbos.Model.Tests.Model;

/// <summary>The tasks of one agent with one priority, in one partition.</summary>
internal readonly record struct AgentBand(int Partition, int Priority, string Agent);

/// <summary>When agents were last served, and for which modules they ever had tasks.</summary>
internal sealed class Turns
{
    private readonly Dictionary<AgentBand, DateTimeOffset> served = [];
    private readonly HashSet<(AgentBand Agent, string Module)> modules = [];

    public IEnumerable<DateTimeOffset> Instants => served.Values;

    public void Enter(AgentBand agent, string module) => modules.Add((agent, module));

    public void Serve(AgentBand agent, DateTimeOffset now) => served[agent] = now;

    /// <summary>A turn comes when the earliest task is due or, if that is later, when the agent was served last.</summary>
    /// <param name="head">When the earliest task is due, Unix ms.</param>
    public long TurnOf(AgentBand agent, long head) => Math.Max(head, served.GetValueOrDefault(agent).ToUnixTimeMilliseconds());

    /// <summary>
    /// Of an agent with several modules the turns in the lists of single modules are known to be no earlier than their heads, but not
    /// exactly: each engine moves those of other modules when it next touches them.
    /// </summary>
    public bool HasOneModule(AgentBand agent) => modules.Count(entry => entry.Agent == agent) == 1;
}
