using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Dbos.Application.Agents;
using Dbos.Domain.Agents;

namespace Dbos.Infrastructure.Agents;

/// <summary>The parts of an agent that both engines keep as text: an operator can read them where they lie.</summary>
internal static class AgentDocuments
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        TypeInfoResolver = AgentJson.Default,
    };

    private static readonly JsonTypeInfo<Dictionary<string, string>> Texts = Of<Dictionary<string, string>>();
    private static readonly JsonTypeInfo<Dictionary<string, LearnedKey>> Keys = Of<Dictionary<string, LearnedKey>>();
    private static readonly JsonTypeInfo<AgentChange[]> ChangeList = Of<AgentChange[]>();

    /// <summary>The values of the keys that are not volatile.</summary>
    public static byte[] Steady(AgentConfig config) =>
        JsonSerializer.SerializeToUtf8Bytes(config.Steady.ToDictionary(entry => entry.Key, entry => entry.Value.RequiredText), Texts);

    /// <summary>The volatile keys with their values, and those that may become volatile.</summary>
    public static byte[] Learned(AgentConfig config)
    {
        var keys = config.Changing.ToDictionary(key => key.Key, key => new LearnedKey { Changes = key.Value });
        foreach (var (key, learned) in config.Volatile)
        {
            keys.Add(key, new LearnedKey { Value = learned.Value?.RequiredText, Same = learned.Same });
        }

        return JsonSerializer.SerializeToUtf8Bytes(keys, Keys);
    }

    public static AgentConfig Config(ReadOnlySpan<byte> steady, ReadOnlySpan<byte> learned)
    {
        var keys = JsonSerializer.Deserialize(learned, Keys)!;
        return new AgentConfig(
            ConfigValues.Of(JsonSerializer.Deserialize(steady, Texts)!),
            (from key in keys where key.Value.Changes is not null select key).ToDictionary(key => key.Key, key => key.Value.Changes!.Value),
            (from key in keys where key.Value.Same is not null select key).ToDictionary(
                key => key.Key,
                key => new VolatileKey(key.Value.Value is { } text ? ConfigValues.Of(text) : null, key.Value.Same!.Value)));
    }

    public static byte[] Changes(IReadOnlyList<AgentChange> changes) => JsonSerializer.SerializeToUtf8Bytes([.. changes], ChangeList);

    public static IReadOnlyList<AgentChange> ReadChanges(ReadOnlySpan<byte> json) => JsonSerializer.Deserialize(json, ChangeList)!;

    /// <summary>"count:last_seen,…" of each caller.</summary>
    public static string Callers(HeartbeatCount heartbeats) => string.Join(
        ',', heartbeats.Callers.Select(caller => string.Create(CultureInfo.InvariantCulture, $"{caller.Count}:{caller.LastSeen}")));

    public static CallerCount[] ReadCallers(string text) =>
    [
        .. from caller in text.Split(',', StringSplitOptions.RemoveEmptyEntries)
           let parts = caller.Split(':')
           select new CallerCount(int.Parse(parts[0], CultureInfo.InvariantCulture), long.Parse(parts[1], CultureInfo.InvariantCulture)),
    ];

    /// <summary>An agent as the generic store kept it, in one document, and as exports of it hold it.</summary>
    public static Agent ReadSchema2(ReadOnlySpan<byte> document, long version)
    {
        var old = JsonSerializer.Deserialize(document, Of<AgentOfSchema2>())!;
        return new Agent(
            old.Id,
            old.Hostname,
            old.Alive,
            old.LastSeen,
            old.FirstSeen,
            new AgentConfig(ConfigValues.Of(old.Config)),
            HeartbeatCount.First(old.TotalHeartbeats, old.LastSeen),
            old.HeardAt,
            version)
        {
            Changes = old.Changes ?? [],
        };
    }

    private static JsonTypeInfo<T> Of<T>() => (JsonTypeInfo<T>)Options.GetTypeInfo(typeof(T));
}

/// <summary>What was learned of a config key. One that has changed in the latest heartbeats: <see cref="Changes"/>; a volatile one: the others.</summary>
internal sealed record LearnedKey
{
    public int? Changes { get; init; }

    /// <summary>Null: the key is absent now.</summary>
    public string? Value { get; init; }

    public int? Same { get; init; }
}

internal sealed record AgentOfSchema2(
    string Id,
    string Hostname,
    bool Alive,
    long LastSeen,
    long FirstSeen,
    Dictionary<string, string> Config,
    int TotalHeartbeats,
    DateTimeOffset HeardAt,
    AgentChange[]? Changes);

[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(Dictionary<string, string>))]
[JsonSerializable(typeof(Dictionary<string, LearnedKey>))]
[JsonSerializable(typeof(AgentChange[]))]
[JsonSerializable(typeof(AgentOfSchema2))]
internal sealed partial class AgentJson : JsonSerializerContext;
