using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Dbos.Infrastructure.Tests.Engines;

/// <summary>
/// What a store holds, in one shape for both engines. Times near the present are told as seconds from now, to
/// the nearest half minute, and what is random by its kind, so that a test can say the whole of an effect.
/// </summary>
public sealed partial class StoredLines(DateTimeOffset now)
{
    private const int Grain = 30;

    /// <summary>Milliseconds have three more, microseconds six.</summary>
    private const int SecondsDigits = 10;

    private static readonly TimeSpan NearPresent = TimeSpan.FromDays(40);

    private readonly List<string> lines = [];

    public IReadOnlyList<string> All => lines;

    public void Record(
        string name, long version, byte[] document, byte[]? payload, long deliveries, long? leasedUntil, long? expiresAt)
    {
        var held = leasedUntil is { } lease ? $" leased until {lease}" : string.Empty;
        var body = payload is null ? string.Empty : $" payload {Text(payload)}";
        Add($"record {name} version {version} deliveries {deliveries}{held}{Expiry(expiresAt)} {Text(document)}{body}");
    }

    public void Mark(string name, byte[] value, long? expiresAt) => Add($"{name}{Expiry(expiresAt)} {Text(value)}");

    public void Entry(string index, string member, long score) => Add($"index {index} {member} = {score}");

    public void Event(string log, byte[] told) => Add($"{log} {Text(told)}");

    public void Other(string name) => Add($"other {name}");

    private static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);

    private static string Expiry(long? expiresAt) => expiresAt is { } at ? $" expires {at}" : string.Empty;

    [GeneratedRegex("""(?<![\w.-])\d{10}(\d{3}){0,2}(?![\w.-])|\d{4}-\d\d-\d\dT[\d:.]+\+00:00""")]
    private static partial Regex Times();

    [GeneratedRegex("[0-9a-f]{16}-[0-9a-f]{8}")]
    private static partial Regex EventIds();

    [GeneratedRegex("[0-9a-f]{32}(?!\")")]
    private static partial Regex Fingerprints();

    private void Add(FormattableString line)
    {
        var text = Times().Replace(line.ToString(CultureInfo.InvariantCulture), found => Told(found.Value));
        lines.Add(Fingerprints().Replace(EventIds().Replace(text, "<id>"), "<fingerprint>"));
    }

    private string Told(string time)
    {
        var at = time.Contains('T', StringComparison.Ordinal)
            ? DateTimeOffset.Parse(time, CultureInfo.InvariantCulture)
            : DateTimeOffset.UnixEpoch.AddSeconds(long.Parse(time, CultureInfo.InvariantCulture) / Math.Pow(10, time.Length - SecondsDigits));
        if ((at - now).Duration() > NearPresent)
        {
            return time;
        }

        var seconds = (long)Math.Round((at - now).TotalSeconds / Grain) * Grain;
        return seconds == 0 ? "<now>" : string.Create(CultureInfo.InvariantCulture, $"<now{seconds:+0;-0}>");
    }
}
