using System.Globalization;
using System.Text.Json;

namespace Dbos.Application.Events;

/// <summary>An event as the log has it.</summary>
/// <param name="Deliveries">Of the tasks that were taken together: each task's id, and the number of its delivery.</param>
/// <param name="Json">The whole of it.</param>
public sealed record LoggedEvent(
    EventId Id,
    string Type,
    string Message,
    DateTimeOffset At,
    IReadOnlyDictionary<string, string> Metadata,
    IReadOnlyDictionary<string, long> Deliveries,
    ReadOnlyMemory<byte> Json)
{
    /// <summary>Empty: it does not say.</summary>
    public string this[string name] => Metadata.GetValueOrDefault(name, string.Empty);

    /// <summary>0: it does not say.</summary>
    public long Number(string name) =>
        long.TryParse(this[name], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;

    public static LoggedEvent Parse(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json);
        var told = document.RootElement;
        var metadata = told.GetProperty("metadata").EnumerateObject().ToArray();
        return new LoggedEvent(
            EventId.Parse(told.GetProperty("id").GetString()!) ?? default,
            told.GetProperty("type").GetString()!,
            told.GetProperty("message").GetString()!,
            DateTimeOffset.FromUnixTimeMilliseconds(told.GetProperty("timestamp_ms").GetInt64()),
            metadata.Where(each => each.Value.ValueKind is JsonValueKind.String or JsonValueKind.Number).ToDictionary(each => each.Name, each => each.Value.ToString()),
            metadata.Where(each => each.Value.ValueKind == JsonValueKind.Object)
                .SelectMany(each => each.Value.EnumerateObject())
                .ToDictionary(delivery => delivery.Name, delivery => delivery.Value.GetInt64()),
            json);
    }
}
