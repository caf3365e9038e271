using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Dbos.Domain.Answers;
using Dbos.Domain.ModuleStates;
using Dbos.Domain.Results;
using Dbos.Domain.Tasks;

namespace Dbos.Infrastructure.Store;

/// <summary>
/// How aggregates are written: as JSON with the wire's names, so that an operator can read a record where it
/// lies. What the store keeps beside the document is left out of it.
/// </summary>
internal static class Documents
{
    private static readonly HashSet<string> KeptBeside = ["version", "data", "payload", "lease_token", "delivery"];

    /// <summary>Few have it.</summary>
    private static readonly HashSet<string> SpareWhereNull = ["trace_parent"];

    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters =
        {
            new JsonStringEnumConverter<RunState>(JsonNamingPolicy.SnakeCaseLower),
            new JsonStringEnumConverter<MeasurementTaskStatus>(JsonNamingPolicy.SnakeCaseLower),
        },
        TypeInfoResolver = DocumentJson.Default.WithAddedModifier(LeaveOut),
    };

    public static JsonTypeInfo<T> Of<T>() => (JsonTypeInfo<T>)Options.GetTypeInfo(typeof(T));

    private static void LeaveOut(JsonTypeInfo type)
    {
        if (!type.Type.IsAssignableTo(typeof(IVersioned)))
        {
            // A part of a document: all of it is kept there.
            return;
        }

        foreach (var property in type.Properties)
        {
            if (KeptBeside.Contains(property.Name))
            {
                property.ShouldSerialize = (_, _) => false;
            }
            else if (SpareWhereNull.Contains(property.Name))
            {
                property.ShouldSerialize = (_, value) => value is not null;
            }
        }
    }
}

[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(ModuleState))]
[JsonSerializable(typeof(MeasurementResult))]
[JsonSerializable(typeof(MeasurementTask))]
internal sealed partial class DocumentJson : JsonSerializerContext;
