using System.Text.Json;
using Dbos.Domain.Results;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Transfer;

/// <summary>What the repositories know of where a record is found, for records of which only the name is known.</summary>
internal static class RecordKinds
{
    /// <summary>What the record is counted as: tasks by their status.</summary>
    public static string KindOf(string name, StoredRecord record) => Names.KindOf(name);

    /// <summary>The index that alone knows how recent the record is, and its member there; null: the record knows itself.</summary>
    public static IndexChange? RecencyOf(string name, StoredRecord record) =>
        Names.KindOf(name) is Names.ResultKind ? Place(name, record, recency: 0).Indexes[0] : null;

    /// <summary>Every index entry and every lane that it belongs to.</summary>
    public static (IReadOnlyList<IndexChange> Indexes, IReadOnlyList<LaneChange> Lanes) Place(
        string name, StoredRecord record, long recency) => Names.KindOf(name) switch
        {
            Names.ResultKind => ([ResultIndex(Decode<MeasurementResult>(record), recency)], []),
            Names.TaskKind => ([], []),
            _ => throw new InvalidOperationException($"{name} is no record"),
        };

    private static IndexChange ResultIndex(MeasurementResult result, long recency) => new(Names.Results(result.AgentId), result.Id, recency);

    private static MeasurementTask Task(StoredRecord record) => Decode<MeasurementTask>(record);

    private static T Decode<T>(StoredRecord record) => JsonSerializer.Deserialize(record.Document.Span, Documents.Of<T>())!;
}
