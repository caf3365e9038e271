using System.Text.Json;

namespace Dbos.Api.Tests.Support;

/// <summary>An event as GetEvents answers it.</summary>
public sealed record LoggedEvent(string Id, string Type, string Message, JsonElement Metadata, string TraceId)
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>Empty: it does not say.</summary>
    public string this[string name] => Metadata.TryGetProperty(name, out var value) ? value.ToString() : string.Empty;

    public static LoggedEvent Parse(ReadOnlySpan<byte> json) => JsonSerializer.Deserialize<LoggedEvent>(json, Json)!;
}

public static class Events
{
    public const int All = 10_000;

    /// <summary>The newest events, newest first; the whole log as long as it is within one reply.</summary>
    public static async Task<IReadOnlyList<LoggedEvent>> ReadEvents(this DBOS.DBOSClient client, int limit = All)
    {
        var reply = await client.GetEventsAsync(new GetEventsRequest { Limit = limit });
        reply.Error.Should().BeEmpty("the test counts on all events being here");
        return [.. reply.Events.Select(told => LoggedEvent.Parse(told.Span))];
    }

    public static async Task<IReadOnlyList<LoggedEvent>> ReadEvents(this DBOS.DBOSClient client, string type, string name, string value) =>
        [.. (await client.ReadEvents()).Where(told => told.Type == type && told[name] == value)];
}
