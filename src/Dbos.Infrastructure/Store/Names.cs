using Dbos.Infrastructure.Events;

namespace Dbos.Infrastructure.Store;

/// <summary>
/// Names of keys within a partition. Ids are callers' text: a colon or percent sign in one is percent-encoded, so that no two lists
/// of ids make one name.
/// </summary>
public static class Names
{
    /// <summary>Agents that are alive, scored by when they will have been silent for too long.</summary>
    public const string AgentDeadlines = "agents:deadlines";

    public const string Agents = "agents";

    private const string MarkPrefix = "mark:";

    public static string Agent(string agentId) => $"agent:{Encode(agentId)}";

    /// <summary>All tasks of a status.</summary>
    public static string Tasks(string status) => $"tasks:{status}";

    public static string Mark(params ReadOnlySpan<string> parts)
    {
        var encoded = new string[parts.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            encoded[i] = Encode(parts[i]);
        }

        return MarkPrefix + string.Join(':', encoded);
    }

    public static bool IsMark(string name) => name.StartsWith(MarkPrefix, StringComparison.Ordinal);

    /// <summary>The id of the record that a mark's command wrote: a mark lies in its partition.</summary>
    public static string RecordIdOfMark(string mark) => Decode(mark.Split(':')[3]);

    public static string Events(EventLogName log) => log == EventLogName.History ? "events" : "refusals";

    /// <summary>The id that <see cref="Encode"/> wrote.</summary>
    public static string Decode(string text) => text.Contains('%', StringComparison.Ordinal)
        ? text.Replace("%3A", ":", StringComparison.Ordinal).Replace("%25", "%", StringComparison.Ordinal)
        : text;

    /// <summary>An id as it stands in a name.</summary>
    public static string Encode(string id) => id.AsSpan().ContainsAny(':', '%')
        ? id.Replace("%", "%25", StringComparison.Ordinal).Replace(":", "%3A", StringComparison.Ordinal)
        : id;
}
