using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Dbos.Infrastructure.Store;

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

    /// <summary>What the names of indexes begin with whose scores are of <see cref="Bands"/>.</summary>
    private static readonly string[] Banded = ["ready", "queue:", Names.Tasks("pending")];

    private readonly List<string> lines = [];
    private readonly Dictionary<string, (long Ever, long Lately)> counts = [];

    public IReadOnlyList<string> All =>
        [.. lines, .. counts.Select(count => $"count {count.Key} {count.Value.Ever}, lately {count.Value.Lately}")];

    public void Mark(string name, byte[] value, long? expiresAt) => Add($"{name}{Expiry(expiresAt)} {Text(value)}");

    public void Entry(string index, string member, long score)
    {
        if (Banded.Any(index.StartsWith))
        {
            Add($"index {index} {member} = {Bands.BandOf(score)} at {Bands.DueOf(score)}");
        }
        else
        {
            Add($"index {index} {member} = {score}");
        }
    }

    /// <param name="isEver">Over all time; else in one of the latest buckets, which are summed up here.</param>
    public void Count(string name, bool isEver, long amount)
    {
        var (ever, lately) = counts.GetValueOrDefault(name);
        counts[name] = isEver ? (ever + amount, lately) : (ever, lately + amount);
    }

    public void Event(string log, byte[] told) => Add($"{log} {Text(told)}");

    /// <summary>A part of what is kept natively, a line for each so that a test sees what a write leaves alone.</summary>
    public void Field(string owner, string name, string value) => Add($"{owner} {name} = {OperationIds().Replace(value, "<operation>")}");

    public void Other(string name) => Add($"other {name}");

    private static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);

    private static string Expiry(long? expiresAt) => expiresAt is { } at ? $" expires {at}" : string.Empty;

    [GeneratedRegex("""(?<![\w.-])\d{10}(\d{3}){0,2}(?![\w.-])|\d{4}-\d\d-\d\dT[\d:.]+\+00:00""")]
    private static partial Regex Times();

    [GeneratedRegex("(?<= )[0-9a-f]{16}(?= )|(?<=\"operation\":\")[0-9a-f]{16}")]
    private static partial Regex OperationIds();

    /// <summary>Of the operation that wrote a record last, behind its time.</summary>
    [GeneratedRegex("(?<=<now> )[0-9a-f]{16}")]
    private static partial Regex Operations();

    [GeneratedRegex("[0-9a-f]{32}(?!\")")]
    private static partial Regex Fingerprints();

    private void Add(FormattableString line)
    {
        var text = Times().Replace(line.ToString(CultureInfo.InvariantCulture), found => Told(found.Value));
        text = Operations().Replace(text, "<operation>");
        lines.Add(Fingerprints().Replace(text, "<fingerprint>"));
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
