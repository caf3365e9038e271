using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;

namespace Dbos.Infrastructure.Events;

/// <summary>
/// Ids that sort by time as text: milliseconds and a counter in 16 hex digits, which never go back within a
/// process, then 8 that tell processes apart.
/// </summary>
public sealed class EventIds
{
    private const int CounterBits = 16;
    private const int TimeDigits = 16;

    private readonly string process = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4));
    private long last;

    public string Next(DateTimeOffset now)
    {
        var earliest = now.ToUnixTimeMilliseconds() << CounterBits;
        long was, next;
        do
        {
            was = Volatile.Read(ref last);
            next = Math.Max(was + 1, earliest);
        }
        while (Interlocked.CompareExchange(ref last, next, was) != was);

        return string.Create(CultureInfo.InvariantCulture, $"{next:x16}-{process}");
    }

    /// <summary>Sorts before every id of that time.</summary>
    public static string First(DateTimeOffset time) =>
        string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, time.ToUnixTimeMilliseconds()) << CounterBits:x16}");

    public static DateTimeOffset TimeOf(string id) =>
        id.Length >= TimeDigits && long.TryParse(id.AsSpan(0, TimeDigits), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var time)
            ? DateTimeOffset.FromUnixTimeMilliseconds(time >> CounterBits)
            : DateTimeOffset.UnixEpoch;

    /// <summary>Sorts as an id of so much later would.</summary>
    public static string Shift(string id, TimeSpan by) => First(TimeOf(id) + by);

    /// <summary>The id of an event, which every event begins with.</summary>
    public static string Of(ReadOnlySpan<byte> told)
    {
        var reader = new Utf8JsonReader(told);
        while (reader.TokenType != JsonTokenType.String && reader.Read())
        {
        }

        return reader.GetString() ?? string.Empty;
    }
}
