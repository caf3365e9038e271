using System.Text.Json;
using Dbos.Application.Events;
using Dbos.Domain.Audit;

namespace Dbos.Infrastructure.Events;

internal static class EventMatching
{
    private const int OfEvent = 1, OfMetadata = 2, OfDeliveries = 3;

    /// <summary>Reads the bytes as they lie: most events that a search looks at are not what it is after.</summary>
    public static bool LetsThrough(this EventFilter filter, ReadOnlySpan<byte> told)
    {
        var isType = filter.Types.Count == 0;
        var isAgent = filter.AgentId.Length == 0;
        var isRequest = filter.RequestId.Length == 0;
        var json = new Utf8JsonReader(told);
        while (!(isType && isAgent && isRequest) && json.Read())
        {
            if (json.TokenType != JsonTokenType.PropertyName)
            {
                continue;
            }

            switch (json.CurrentDepth)
            {
                case OfEvent when json.ValueTextEquals("type"u8):
                    isType = isType || IsOneOf(filter.Types, ref json);
                    if (!isType)
                    {
                        return false;
                    }

                    break;
                case OfMetadata when json.ValueTextEquals(AuditEvent.Names.AgentId):
                    isAgent = isAgent || IsOneOf([filter.AgentId], ref json);
                    break;
                case OfMetadata when json.ValueTextEquals(AuditEvent.Names.Agents):
                    isAgent = isAgent || IsAmong(filter.AgentId, ref json);
                    break;
                case OfMetadata when json.ValueTextEquals(AuditEvent.Names.RequestId) || json.ValueTextEquals(AuditEvent.Names.TaskId):
                    isRequest = isRequest || IsOneOf([filter.RequestId], ref json);
                    break;
                case OfDeliveries:
                    // By the ids of the tasks that were delivered.
                    isRequest = isRequest || json.ValueTextEquals(filter.RequestId);
                    break;
                default:
                    break;
            }
        }

        return isType && isAgent && isRequest;
    }

    private static bool IsAmong(string word, ref Utf8JsonReader json)
    {
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.String)
        {
            if (json.ValueTextEquals(word))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsOneOf(IReadOnlyList<string> words, ref Utf8JsonReader json)
    {
        json.Read();
        foreach (var word in words)
        {
            if (json.ValueTextEquals(word))
            {
                return true;
            }
        }

        return false;
    }
}
