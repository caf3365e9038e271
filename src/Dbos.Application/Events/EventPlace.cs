using System.Buffers.Text;
using System.Text;
using System.Text.RegularExpressions;
using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;

namespace Dbos.Application.Events;

/// <summary>
/// A place in the event log: a position in each of its streams, as writers of several streams commit in no common order. Opaque to
/// callers, who know it as a page token or a resume token.
/// </summary>
/// <param name="Generation">Of the store that the place was given out for: a store has another one after each import.</param>
/// <param name="Positions">Of an entry of each stream; null: before the first one.</param>
public sealed partial record EventPlace(string Generation, IReadOnlyList<StreamPosition?> Positions)
{
    private const char Between = ',';

    public bool IsIn(string generation, int streams) => Generation == generation && Positions.Count == streams;

    public override string ToString() =>
        Base64Url.EncodeToString(Encoding.UTF8.GetBytes(string.Join(Between, [Generation, .. Positions.Select(position => position?.ToString())])));

    /// <summary>Null: the token is no place.</summary>
    public static EventPlace? Parse(string token)
    {
        if (token.Length == 0 || !Base64Url.IsValid(token))
        {
            return null;
        }

        var parts = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(token)).Split(Between);
        StreamPosition?[] positions = [.. parts.Skip(1).Select(part => StreamPosition.Parse(part))];
        return parts.Length > 1 && IsGeneration(parts[0]) && positions.Zip(parts.Skip(1)).All(each => each.First is not null || each.Second.Length == 0)
            ? new EventPlace(parts[0], positions)
            : null;
    }

    /// <summary>What a caller is answered whose place has left the log.</summary>
    public static Refusal NoLongerKept(string field, string token) => new(
        RefusalCode.NoLongerKept,
        Rules.Sentence(field, "must be as new as the events that are still kept (EVENT_RETENTION), and as the store's last import", token));

    private static bool IsGeneration(string text) => Generations().IsMatch(text);

    [GeneratedRegex(@"^[0-9a-f]{16}\z")]
    private static partial Regex Generations();
}
