using System.Globalization;
using Dbos.Infrastructure.Events;

namespace Dbos.Infrastructure.Store;

/// <summary>
/// The name of every record and index within its partition. Ids are callers' text: a colon or percent sign
/// in one is percent-encoded, so that no two lists of ids make one name.
/// </summary>
public static class Names
{
    /// <summary>What a record's or mark's name begins with, before the first colon.</summary>
    public const string AgentKind = "agent", ResultKind = "result", TaskKind = "task", MarkKind = "mark";

    public const string Agents = "agents";

    /// <summary>Agents told alive, scored by when they will have been silent for too long.</summary>
    public const string AgentDeadlines = "agents:deadlines";

    /// <summary>What every task's record, every index of tasks and every index of turns begins with.</summary>
    public static readonly IReadOnlyList<string> PrefixesOfTasks = [TaskPrefix, TasksPrefix, Turns];

    /// <summary>What every record's and every mark's name begins with.</summary>
    public static readonly IReadOnlyList<string> PrefixesOfRecordsAndMarks =
        [$"{ResultKind}:", TaskPrefix, MarkPrefix];

    private const string TaskPrefix = $"{TaskKind}:";
    private const string TasksPrefix = "tasks:";
    private const string MarkPrefix = $"{MarkKind}:";

    /// <summary>Pending tasks, by priority and due time.</summary>
    public const string Turns = "tasks:pending";

    public static string Agent(string agentId) => $"{AgentKind}:{Encode(agentId)}";

    public static string Result(string agentId, string resultId) => $"{ResultKind}:{Encode(agentId)}:{Encode(resultId)}";

    public static string Results(string agentId) => $"results:{Encode(agentId)}";

    public static string Task(string taskId) => TaskPrefix + Encode(taskId);

    public static string TurnsOfAgent(string agentId) => $"turns:agent:{Encode(agentId)}";

    public static string TurnsOfModule(string moduleName) => $"turns:module:{Encode(moduleName)}";

    /// <summary>An agent's module, whose pending tasks are one lane.</summary>
    public static string Lane(string agentId, string moduleName) => $"{Encode(agentId)}:{Encode(moduleName)}";

    public static (string AgentId, string ModuleName) ReadLane(string name)
    {
        var colon = name.IndexOf(':', StringComparison.Ordinal);
        return (Decode(name[..colon]), Decode(name[(colon + 1)..]));
    }

    /// <summary>All tasks of a status.</summary>
    public static string Tasks(string status) => $"{TasksPrefix}{status}";

    public static string TasksOfAgent(string status, string agentId) => $"{TasksPrefix}{status}:agent:{Encode(agentId)}";

    public static string TasksOfModule(string status, string moduleName) => $"{TasksPrefix}{status}:module:{Encode(moduleName)}";

    public static string TasksOf(string status, string agentId, string moduleName) => $"{TasksPrefix}{status}:both:{Lane(agentId, moduleName)}";

    public static bool IsTask(string name) => name.StartsWith(TaskPrefix, StringComparison.Ordinal);

    public static bool IsTurns(string name) => name == Turns || name.StartsWith(Turns + ":", StringComparison.Ordinal);

    public static string KindOf(string name) => name[..name.IndexOf(':', StringComparison.Ordinal)];

    public static bool IsMark(string name) => name.StartsWith(MarkPrefix, StringComparison.Ordinal);

    /// <summary>The id whose partition a record or a mark lies in: a mark lies with the record that its command wrote.</summary>
    public static string PartitionIdOf(string name)
    {
        const int IdOfRecord = 1;
        const int IdOfMark = 3;
        return Decode(name.Split(':')[IsMark(name) ? IdOfMark : IdOfRecord]);
    }

    /// <summary>The id of the task that a record's name names.</summary>
    public static string TaskId(string name) => Decode(name[TaskPrefix.Length..]);

    /// <summary>The status whose tasks an index holds, and the lane where it is one of both; null: it is no index of tasks.</summary>
    public static (string Status, string? Lane)? ReadTasks(string name)
    {
        if (!name.StartsWith(TasksPrefix, StringComparison.Ordinal))
        {
            return null;
        }

        var parts = name[TasksPrefix.Length..].Split(':', 3);
        return (parts[0], parts is [_, "both", var lane] ? lane : null);
    }

    /// <param name="bucket">Null: over all time.</param>
    public static string Counts(long? bucket) =>
        bucket is { } some ? string.Create(CultureInfo.InvariantCulture, $"counts:{some}") : "counts";

    public static string Mark(params ReadOnlySpan<string> parts)
    {
        var encoded = new string[parts.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            encoded[i] = Encode(parts[i]);
        }

        return MarkPrefix + string.Join(':', encoded);
    }

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
