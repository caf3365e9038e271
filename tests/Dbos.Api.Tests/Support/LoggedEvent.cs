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

    /// <summary>No test runs longer.</summary>
    private static readonly TimeSpan Recent = TimeSpan.FromMinutes(3);

    /// <summary>The newest events, newest first; the whole log as long as it is within one reply.</summary>
    public static Task<IReadOnlyList<LoggedEvent>> ReadEvents(this DBOS.DBOSClient client, int limit = All) =>
        client.Read(new GetEventsRequest { Limit = limit });

    public static async Task<IReadOnlyList<LoggedEvent>> ReadEvents(this DBOS.DBOSClient client, string type, string name, string value)
    {
        var told = await client.Read(
            new GetEventsRequest { Limit = All, Type = type, Since = (DateTimeOffset.UtcNow - Recent).ToUnixTimeSeconds() });
        return [.. told.Where(each => each[name] == value)];
    }

    private static async Task<IReadOnlyList<LoggedEvent>> Read(this DBOS.DBOSClient client, GetEventsRequest request)
    {
        var reply = await client.GetEventsAsync(request);
        (reply.Error, reply.SearchedBackTo).Should().Be((string.Empty, 0), "the test counts on all events being here");
        return [.. reply.Events.Select(told => LoggedEvent.Parse(told.Span))];
    }
}
