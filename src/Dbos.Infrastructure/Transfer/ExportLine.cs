using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Dbos.Domain.Agents;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Agents;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.ModuleStates;
using Dbos.Infrastructure.Results;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Transfer;

/// <summary>One line of an export: a JSON object that says first of which kind it is.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(HeadLine), "dbos-export")]
[JsonDerivedType(typeof(AgentLine), "agent")]
[JsonDerivedType(typeof(StateLine), "module_state")]
[JsonDerivedType(typeof(ResultLine), "result")]
[JsonDerivedType(typeof(TaskLine), "task")]
[JsonDerivedType(typeof(RecordLine), "record")]
[JsonDerivedType(typeof(MarkLine), "mark")]
[JsonDerivedType(typeof(EventLine), "event")]
[JsonDerivedType(typeof(CounterLine), "counter")]
[JsonDerivedType(typeof(EndLine), "end")]
internal abstract record ExportLine
{
    private static readonly JsonTypeInfo<ExportLine> Json = (JsonTypeInfo<ExportLine>)new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        TypeInfoResolver = ExportJson.Default,
    }.GetTypeInfo(typeof(ExportLine));

    /// <exception cref="JsonException">It is none.</exception>
    public static ExportLine Parse(string line) => JsonSerializer.Deserialize(line, Json) ?? throw new JsonException("null is no line of an export");

    public byte[] ToUtf8() => JsonSerializer.SerializeToUtf8Bytes(this, Json);
}

/// <summary>The first line.</summary>
internal sealed record HeadLine(int SchemaVersion, DateTimeOffset ExportedAt) : ExportLine;

/// <summary>An agent. Its config and what was learned of it, and its changes, stand as both engines keep them.</summary>
/// <param name="HeardAt">Unix milliseconds.</param>
internal sealed record AgentLine(
    string Id,
    string Hostname,
    bool Alive,
    long LastSeen,
    long FirstSeen,
    long HeardAt,
    int TotalHeartbeats,
    string Callers,
    [property: JsonConverter(typeof(RawJson))] ReadOnlyMemory<byte> Config,
    [property: JsonConverter(typeof(RawJson))] ReadOnlyMemory<byte> Learned,
    [property: JsonConverter(typeof(RawJson))] ReadOnlyMemory<byte> Changes,
    long Version) : ExportLine
{
    public static AgentLine Of(Agent agent) => new(
        agent.Id,
        agent.Hostname,
        agent.Alive,
        agent.LastSeen,
        agent.FirstSeen,
        agent.HeardAt.ToUnixTimeMilliseconds(),
        agent.Heartbeats.Total,
        AgentDocuments.Callers(agent.Heartbeats),
        AgentDocuments.Steady(agent.Config),
        AgentDocuments.Learned(agent.Config),
        AgentDocuments.Changes(agent.Changes),
        agent.Version);

    public Agent ToAgent() => new(
        Id,
        Hostname,
        Alive,
        LastSeen,
        FirstSeen,
        AgentDocuments.Config(Config.Span, Learned.Span),
        new HeartbeatCount(TotalHeartbeats, AgentDocuments.ReadCallers(Callers)),
        DateTimeOffset.FromUnixTimeMilliseconds(HeardAt),
        Version)
    {
        Changes = AgentDocuments.ReadChanges(Changes.Span),
    };
}

internal sealed record StateLine(StoredModuleState Stored) : ExportLine;

internal sealed record ResultLine(TransferredResult Stored) : ExportLine;

internal sealed record TaskLine(MeasurementTask Task) : ExportLine;

/// <summary>Of schema version 2: a record of whichever kind.</summary>
/// <param name="LeasedUntil">Unix milliseconds; null: nobody holds it.</param>
/// <param name="Recency">Its place in the lists of its kind; null: what it says itself is its place.</param>
internal sealed record RecordLine(
    string Name,
    long Version,
    long Deliveries,
    long? LeasedUntil,
    long? Recency,
    [property: JsonConverter(typeof(RawJson))] ReadOnlyMemory<byte> Document,
    ReadOnlyMemory<byte>? Payload) : ExportLine;

/// <param name="Lifetime">What was left of it, in milliseconds.</param>
internal sealed record MarkLine(string Name, ReadOnlyMemory<byte> Value, long Lifetime) : ExportLine;

/// <summary>Of each log the oldest first.</summary>
internal sealed record EventLine(
    [property: JsonConverter(typeof(JsonStringEnumConverter<EventLogName>))] EventLogName Log,
    [property: JsonConverter(typeof(RawJson))] ReadOnlyMemory<byte> Told) : ExportLine;

internal sealed record CounterLine(string Name, long Amount) : ExportLine;

/// <summary>The last line: a file without it is cut off.</summary>
internal sealed record EndLine(IReadOnlyDictionary<string, long> Counts, string Digest) : ExportLine;

/// <summary>JSON that is kept byte for byte.</summary>
internal sealed class RawJson : JsonConverter<ReadOnlyMemory<byte>>
{
    public override ReadOnlyMemory<byte> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using var json = JsonDocument.ParseValue(ref reader);
        return Encoding.UTF8.GetBytes(json.RootElement.GetRawText());
    }

    public override void Write(Utf8JsonWriter writer, ReadOnlyMemory<byte> value, JsonSerializerOptions options) =>
        writer.WriteRawValue(value.Span, skipInputValidation: true);
}

[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(ExportLine))]
internal sealed partial class ExportJson : JsonSerializerContext;
