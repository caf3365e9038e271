using System.Text.Json;
using Dbos.Domain.Agents;
using Dbos.Domain.ModuleStates;
using Dbos.Domain.Results;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Agents;
using Dbos.Infrastructure.ModuleStates;
using Dbos.Infrastructure.Results;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tasks;

namespace Dbos.Infrastructure.Transfer;

/// <summary>What the repositories know of where a record is found, for records of which only the name is known.</summary>
internal static class RecordKinds
{
    /// <summary>What the record is counted as: tasks by their status.</summary>
    public static string KindOf(string name, StoredRecord record)
    {
        var kind = Prefix(name);
        return kind == "task" ? $"task {Task(record).Status.Word()}" : kind;
    }

    /// <summary>The index that alone knows how recent the record is, and its member there; null: the record knows itself.</summary>
    public static IndexChange? RecencyOf(string name, StoredRecord record) =>
        Prefix(name) is "state" or "life" or "result" ? Place(name, record, recency: 0, agentTimeout: default).Indexes[0] : null;

    /// <summary>Every index entry and every lane that it belongs to.</summary>
    public static (IReadOnlyList<IndexChange> Indexes, IReadOnlyList<LaneChange> Lanes) Place(
        string name, StoredRecord record, long recency, TimeSpan agentTimeout) => Prefix(name) switch
        {
            "agent" => ([.. AgentRepository.IndexesOf(Decode<Agent>(record), agentTimeout).Where(change => change.Score is not null)], []),
            "state" or "life" => (ModuleStateRepository.IndexesOf(Decode<ModuleState>(record), name, recency), []),
            "result" => (ResultRepository.IndexesOf(Decode<MeasurementResult>(record), recency), []),
            "task" => TaskIndexes.Moves(null, Task(record)),
            _ => throw new InvalidOperationException($"{name} is no record"),
        };

    private static MeasurementTask Task(StoredRecord record) => TaskRepository.Rehydrate(Decode<MeasurementTask>(record), record);

    private static T Decode<T>(StoredRecord record) => JsonSerializer.Deserialize(record.Document.Span, Documents.Of<T>())!;

    private static string Prefix(string name) => name[..name.IndexOf(':', StringComparison.Ordinal)];
}
