using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Dbos.Domain.ModuleStates;
using Dbos.Domain.Results;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Agents;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.ModuleStates;
using Dbos.Infrastructure.Results;

namespace Dbos.Infrastructure.Transfer;

/// <summary>Lines of an export by the schema version before this one, in which every record had a name and one document.</summary>
internal static class Schema2
{
    public const int Version = 2;

    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters =
        {
            new JsonStringEnumConverter<RunState>(JsonNamingPolicy.SnakeCaseLower),
            new JsonStringEnumConverter<MeasurementTaskStatus>(JsonNamingPolicy.SnakeCaseLower),
        },
        TypeInfoResolver = Schema2Json.Default,
    };

    /// <summary>The same as a line of today; null: nothing of today takes its place.</summary>
    public static ExportLine? Convert(ExportLine line) => line switch
    {
        RecordLine record => Convert(record),

        // Marks that no caller named are needed no more: a record is its own mark.
        MarkLine mark when mark.Name.Split(':') is [_, _, "natural", ..] => null,
        EventLine told => told with { Told = EventJson.WithoutId(told.Told) },
        _ => line,
    };

    private static ExportLine Convert(RecordLine record) => record.Name[..record.Name.IndexOf(':', StringComparison.Ordinal)] switch
    {
        "agent" => AgentLine.Of(AgentDocuments.ReadSchema2(record.Document.Span, record.Version)),
        "state" or "life" => new StateLine(new StoredModuleState(Read<ModuleState>(record) with { Version = record.Version }, record.Recency ?? 0)),
        "result" => new ResultLine(new TransferredResult(Read<MeasurementResult>(record) with { Data = record.Payload ?? default }, record.Recency ?? 0)),
        "task" => new TaskLine(TaskOf(record)),
        _ => throw new TransferRefusedException($"{record.Name} is of no known kind"),
    };

    private static MeasurementTask TaskOf(RecordLine record)
    {
        var task = Read<MeasurementTask>(record) with
        {
            Payload = record.Payload ?? default,
            LeaseToken = record.Deliveries,
            Deliveries = record.Deliveries,
        };
        // Fields that early records of this version lack are read as null.
        task = task with { LastError = task.LastError ?? string.Empty, DeadLetterReason = task.DeadLetterReason ?? string.Empty, History = task.History ?? [] };
        task = task with { VisibleAt = ToMilliseconds(task.VisibleAt), EndedAt = task.EndedAt is { } ended ? ToMilliseconds(ended) : null };
        return record.LeasedUntil is { } until
            ? task with { Status = MeasurementTaskStatus.Inflight, VisibleAt = DateTimeOffset.FromUnixTimeMilliseconds(until) }
            : task;
    }

    /// <summary>Stores keep no more.</summary>
    private static DateTimeOffset ToMilliseconds(DateTimeOffset instant) => DateTimeOffset.FromUnixTimeMilliseconds(instant.ToUnixTimeMilliseconds());

    private static T Read<T>(RecordLine record) =>
        JsonSerializer.Deserialize(record.Document.Span, (JsonTypeInfo<T>)Options.GetTypeInfo(typeof(T)))!;
}

[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(ModuleState))]
[JsonSerializable(typeof(MeasurementResult))]
[JsonSerializable(typeof(MeasurementTask))]
internal sealed partial class Schema2Json : JsonSerializerContext;
