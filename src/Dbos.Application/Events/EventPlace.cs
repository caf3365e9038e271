using System.Buffers.Text;
using System.Text;
using System.Text.RegularExpressions;

namespace Dbos.Application.Events;

/// <summary>
/// A place in every event log, each named by the id of an event: ids sort by time, but writers that were at work at the same
/// moment commit in another order, so that no single id parts what a reader has had from what it has not. Opaque to callers.
/// </summary>
/// <param name="Ids">One for each log; empty: at its end.</param>
public sealed partial record EventPlace(IReadOnlyList<string> Ids)
{
    private const char Between = ',';

    public override string ToString() => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(string.Join(Between, Ids)));

    /// <summary>Null: it is none.</summary>
    public static EventPlace? Parse(string token)
    {
        if (token.Length == 0 || !Base64Url.IsValid(token))
        {
            return null;
        }

        var text = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(token));
        var ids = text.Split(Between);
        return ids.Length > 1 && ids.All(id => id.Length == 0 || IsEvent(id)) ? new EventPlace(ids) : null;
    }

    /// <summary>It has the form of an event's id.</summary>
    public static bool IsEvent(string id) => EventId().IsMatch(id);

    /// <summary>The first sixteen digits are a time, and no time is negative.</summary>
    [GeneratedRegex(@"^[0-7][0-9a-f]{15}-[0-9a-f]{8}\z")]
    private static partial Regex EventId();
}
