using System.Text;

namespace Dbos.Infrastructure.Store;

/// <summary>
/// The name of every record and index within its partition. Ids are callers' text: a colon or percent sign
/// in one is percent-encoded, so that no two lists of ids make one name.
/// </summary>
public static class Names
{
    public const string Agents = "agents";

    /// <summary>Agents told alive, scored by when they will have been silent for too long.</summary>
    public const string AgentDeadlines = "agents:deadlines";

    public const string States = "states";

    public const string PendingTasks = "tasks:pending";

    public const string LeasedTasks = "tasks:leased";

    public const string DeadTasks = "tasks:dead";

    public static string Agent(string agentId) => $"agent:{Encode(agentId)}";

    public static string State(string requestId) => $"state:{Encode(requestId)}";

    /// <summary>A module's own life, told without a request id.</summary>
    public static string Life(string agentId, string moduleName) => $"life:{Encode(agentId)}:{Encode(moduleName)}";

    public static string StatesOfAgent(string agentId) => $"states:agent:{Encode(agentId)}";

    public static string StatesOfModule(string moduleName) => $"states:module:{Encode(moduleName)}";

    public static string StatesOf(string agentId, string moduleName) => $"states:both:{Encode(agentId)}:{Encode(moduleName)}";

    public static string Result(string agentId, string resultId) => $"result:{Encode(agentId)}:{Encode(resultId)}";

    public static string Results(string agentId) => $"results:{Encode(agentId)}";

    public static string Task(string taskId) => $"task:{Encode(taskId)}";

    public static string Mark(params ReadOnlySpan<string> parts)
    {
        var name = new StringBuilder("mark");
        foreach (var part in parts)
        {
            name.Append(':').Append(Encode(part));
        }

        return name.ToString();
    }

    public static string Events(EventLogName log) => log == EventLogName.History ? "events" : "refusals";

    private static string Encode(string id) => id.AsSpan().ContainsAny(':', '%')
        ? id.Replace("%", "%25", StringComparison.Ordinal).Replace(":", "%3A", StringComparison.Ordinal)
        : id;
}
