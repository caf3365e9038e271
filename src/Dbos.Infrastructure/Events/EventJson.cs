using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using Dbos.Application.Events;
using Dbos.Domain.Audit;

namespace Dbos.Infrastructure.Events;

/// <summary>
/// What the event log has to know of an event's JSON. It is read from the bytes as they are: most events that a search looks at are
/// not those that it looks for.
/// </summary>
internal static class EventJson
{
    private const int OfEvent = 1, OfMetadata = 2, OfDeliveries = 3;

    private static ReadOnlySpan<byte> IdMember => "{\"id\":\""u8;

    /// <summary>The event as callers read it.</summary>
    public static ReadOnlyMemory<byte> WithId(EventId id, ReadOnlySpan<byte> json) =>
        (byte[])[.. IdMember, .. Encoding.ASCII.GetBytes(id.ToString()), .. "\","u8, .. json[1..]];

    /// <summary>For imports: events were once stored with an id as their first member.</summary>
    public static ReadOnlyMemory<byte> WithoutId(ReadOnlyMemory<byte> json)
    {
        if (!json.Span.StartsWith(IdMember))
        {
            return json;
        }

        var rest = json.Span[IdMember.Length..];
        return (byte[])[(byte)'{', .. rest[(rest.IndexOf("\","u8) + 2)..]];
    }

    /// <summary>The event's own time in Unix milliseconds; 0: it has none.</summary>
    public static long TimeOf(ReadOnlySpan<byte> json)
    {
        // The commit wrote it last.
        if (json[(json.LastIndexOf((byte)',') + 1)..] is var last && last.StartsWith("\"timestamp_ms\":"u8)
            && Utf8Parser.TryParse(last["\"timestamp_ms\":".Length..], out long written, out _))
        {
            return written;
        }

        var reader = new Utf8JsonReader(json);
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.PropertyName && reader.CurrentDepth == OfEvent && reader.ValueTextEquals("timestamp_ms"u8))
            {
                reader.Read();
                return reader.GetInt64();
            }
        }

        return 0;
    }

    /// <summary>The id whose partition has the event: of the request, else of the task or the first task, else of the agent.</summary>
    public static string SubjectOf(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json);
        if (!document.RootElement.TryGetProperty("metadata"u8, out var metadata))
        {
            return string.Empty;
        }

        var members = metadata.EnumerateObject().ToDictionary(member => member.Name, member => member.Value);
        return new[] { AuditEvent.Names.RequestId, AuditEvent.Names.TaskId }.Select(Text).FirstOrDefault(id => id.Length > 0)
            ?? members.Values.Where(value => value.ValueKind == JsonValueKind.Object)
                .SelectMany(deliveries => deliveries.EnumerateObject())
                .Select(delivery => delivery.Name)
                .FirstOrDefault()
            ?? Text(AuditEvent.Names.AgentId);

        string Text(string name) => members.TryGetValue(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : string.Empty;
    }

    public static bool Matches(this EventFilter filter, ReadOnlySpan<byte> json)
    {
        if (filter.Since > 0 && TimeOf(json) < filter.Since * 1_000)
        {
            return false;
        }

        var isType = filter.Types.Count == 0;
        var isAgent = filter.AgentId.Length == 0;
        var isRequest = filter.RequestId.Length == 0;
        var reader = new Utf8JsonReader(json);
        while (!(isType && isAgent && isRequest) && reader.Read())
        {
            if (reader.TokenType != JsonTokenType.PropertyName)
            {
                continue;
            }

            switch (reader.CurrentDepth)
            {
                case OfEvent when reader.ValueTextEquals("type"u8):
                    isType = isType || IsOneOf(filter.Types, ref reader);
                    if (!isType)
                    {
                        return false;
                    }

                    break;
                case OfMetadata when reader.ValueTextEquals(AuditEvent.Names.AgentId):
                    isAgent = isAgent || IsOneOf([filter.AgentId], ref reader);
                    break;
                case OfMetadata when reader.ValueTextEquals(AuditEvent.Names.Agents):
                    isAgent = isAgent || IsAmong(filter.AgentId, ref reader);
                    break;
                case OfMetadata when reader.ValueTextEquals(AuditEvent.Names.RequestId) || reader.ValueTextEquals(AuditEvent.Names.TaskId):
                    isRequest = isRequest || IsOneOf([filter.RequestId], ref reader);
                    break;
                case OfDeliveries:
                    // By the ids of the tasks that were delivered.
                    isRequest = isRequest || reader.ValueTextEquals(filter.RequestId);
                    break;
                default:
                    break;
            }
        }

        return isType && isAgent && isRequest;
    }

    private static bool IsAmong(string word, ref Utf8JsonReader reader)
    {
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.String)
        {
            if (reader.ValueTextEquals(word))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsOneOf(IReadOnlyList<string> words, ref Utf8JsonReader reader)
    {
        reader.Read();
        foreach (var word in words)
        {
            if (reader.ValueTextEquals(word))
            {
                return true;
            }
        }

        return false;
    }
}
