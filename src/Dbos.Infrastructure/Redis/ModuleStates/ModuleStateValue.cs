using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dbos.Domain.ModuleStates;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Redis.ModuleStates;

/// <summary>The records that module_state.lua describes.</summary>
internal static class ModuleStateValue
{
    private static readonly IReadOnlyDictionary<string, string> NoDetails = new Dictionary<string, string>();

    /// <summary>The error message and the details: the same bytes for the same content. Empty where there is nothing of both, as is usual.</summary>
    public static byte[] WriteDocument(string errorMessage, IReadOnlyDictionary<string, string> details) =>
        errorMessage.Length == 0 && details.Count == 0
            ? []
            : JsonSerializer.SerializeToUtf8Bytes(
                new Document(errorMessage.Length > 0 ? errorMessage : null, details.Count > 0 ? new SortedDictionary<string, string>(details.ToDictionary(), StringComparer.Ordinal) : null), ModuleStateJson.Relaxed.Document);

    /// <param name="requestId">As it stands in the record's key; empty: a module's own life.</param>
    /// <param name="changedAt">Unix microseconds.</param>
    public static ModuleState Read(byte[] value, string requestId, out long changedAt)
    {
        var rest = value.AsSpan();
        var head = Encoding.ASCII.GetString(Line(ref rest)).Split(' ');
        var agentId = Encoding.UTF8.GetString(Line(ref rest));
        var moduleName = Encoding.UTF8.GetString(Line(ref rest));
        var document = rest.IsEmpty ? null : JsonSerializer.Deserialize(rest, ModuleStateJson.Relaxed.Document);
        changedAt = long.Parse(head[3], CultureInfo.InvariantCulture);
        return new ModuleState(
            Names.Decode(agentId),
            Names.Decode(moduleName),
            RunStateWords.Parse(head[1])!.Value,
            document?.ErrorMessage ?? string.Empty,
            (IReadOnlyDictionary<string, string>?)document?.Details ?? NoDetails,
            long.Parse(head[2], CultureInfo.InvariantCulture),
            Names.Decode(requestId),
            long.Parse(head[0], CultureInfo.InvariantCulture));

        static ReadOnlySpan<byte> Line(ref Span<byte> rest)
        {
            var end = rest.IndexOf((byte)'\n');
            var line = rest[..end];
            rest = rest[(end + 1)..];
            return line;
        }
    }

    internal sealed record Document(string? ErrorMessage, SortedDictionary<string, string>? Details);
}

[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(ModuleStateValue.Document))]
internal sealed partial class ModuleStateJson : JsonSerializerContext
{
    public static readonly ModuleStateJson Relaxed = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
