using Dbos.Application.Tasks;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Tasks;

/// <summary>
/// Where a task is found: in the indexes of its status, over all, by agent, by module and by both. While it is
/// pending, the last of these is its lane.
/// </summary>
internal static class TaskIndexes
{
    /// <summary>The index that holds the tasks of a status that match a filter.</summary>
    public static string Of(MeasurementTaskStatus status, TaskFilter filter) => (filter.AgentId, filter.ModuleName) switch
    {
        ("", "") => Names.Tasks(status.Word()),
        (var agentId, "") => Names.TasksOfAgent(status.Word(), agentId),
        ("", var moduleName) => Names.TasksOfModule(status.Word(), moduleName),
        var (agentId, moduleName) => Names.TasksOf(status.Word(), agentId, moduleName),
    };

    /// <summary>The plain indexes that hold a task of this status: all but the lane.</summary>
    public static IReadOnlyList<string> Plain(MeasurementTaskStatus status, string agentId, string moduleName)
    {
        var word = status.Word();
        var indexes = new List<string>(4) { Names.Tasks(word) };
        if (agentId.Length > 0)
        {
            indexes.Add(Names.TasksOfAgent(word, agentId));
        }

        if (moduleName.Length > 0)
        {
            indexes.Add(Names.TasksOfModule(word, moduleName));
        }

        if (status != MeasurementTaskStatus.Pending && agentId.Length > 0 && moduleName.Length > 0)
        {
            indexes.Add(Names.TasksOf(word, agentId, moduleName));
        }

        return indexes;
    }

    public static Lane LaneOf(string agentId, string moduleName)
    {
        var turns = new List<string>(3) { Names.Turns };
        if (agentId.Length > 0)
        {
            turns.Add(Names.TurnsOfAgent(agentId));
        }

        if (moduleName.Length > 0)
        {
            turns.Add(Names.TurnsOfModule(moduleName));
        }

        return new Lane(
            Names.TasksOf(MeasurementTaskStatus.Pending.Word(), agentId, moduleName), Names.Lane(agentId, moduleName), turns);
    }

    /// <summary>The lane of this name.</summary>
    public static Lane LaneNamed(string name)
    {
        var (agentId, moduleName) = Names.ReadLane(name);
        return LaneOf(agentId, moduleName);
    }

    /// <summary>The turns of the lanes that match a filter of an agent, of a module, or of neither.</summary>
    public static string TurnsOf(TaskFilter filter) =>
        filter.AgentId.Length > 0 ? Names.TurnsOfAgent(filter.AgentId)
        : filter.ModuleName.Length > 0 ? Names.TurnsOfModule(filter.ModuleName)
        : Names.Turns;

    /// <summary>The highest priority is the first band.</summary>
    public static int BandOf(MeasurementTask task) => MeasurementTask.HighestPriority - task.Priority;

    public static long ScoreOf(MeasurementTask task) => task.Status switch
    {
        MeasurementTaskStatus.Pending => Bands.Score(BandOf(task), DueOf(task)),
        MeasurementTaskStatus.Inflight => DueOf(task),
        _ => (task.EndedAt ?? DateTimeOffset.UnixEpoch).ToUnixTimeMilliseconds(),
    };

    /// <summary>When it is due or, inflight, when its lease expires.</summary>
    public static long DueOf(MeasurementTask task) => task.VisibleAt.ToUnixTimeMilliseconds();

    /// <summary>Every index that must have it, its lane too, and at which score.</summary>
    public static IEnumerable<(string Index, long Score)> EntriesOf(MeasurementTask task)
    {
        var score = ScoreOf(task);
        var plain = PlainOf(task).Select(index => (index, score));
        return task.Status == MeasurementTaskStatus.Pending
            ? plain.Append((LaneOf(task.AgentId, task.ModuleName).Index, score))
            : plain;
    }

    /// <summary>From where it was found to where it is to be found.</summary>
    /// <param name="before">Null: it was not there.</param>
    /// <param name="after">Null: it will not be there.</param>
    public static (IReadOnlyList<IndexChange> Indexes, IReadOnlyList<LaneChange> Lanes) Moves(MeasurementTask? before, MeasurementTask? after)
    {
        var indexes = new List<IndexChange>(8);
        var lanes = new List<LaneChange>(2);
        if (before is not null && before.Status != after?.Status)
        {
            indexes.AddRange(PlainOf(before).Select(index => new IndexChange(index, before.Id, null)));
        }

        if (before is { Status: MeasurementTaskStatus.Pending })
        {
            lanes.Add(new LaneChange(LaneOf(before.AgentId, before.ModuleName), BandOf(before), before.Id, null));
        }

        if (after is not null)
        {
            var score = ScoreOf(after);
            indexes.AddRange(PlainOf(after).Select(index => new IndexChange(index, after.Id, score)));
        }

        if (after is { Status: MeasurementTaskStatus.Pending })
        {
            lanes.Add(new LaneChange(LaneOf(after.AgentId, after.ModuleName), BandOf(after), after.Id, DueOf(after)));
        }

        return (indexes, lanes);
    }

    private static IReadOnlyList<string> PlainOf(MeasurementTask task) => Plain(task.Status, task.AgentId, task.ModuleName);
}
