using System.Globalization;
using System.Text.RegularExpressions;

namespace Dbos.Api.Tests.Watching;

/// <summary>A page in Prometheus's text format 0.0.4, read as strictly as the format is meant.</summary>
public sealed partial class ExpositionPage
{
    private readonly Dictionary<string, string> types = [];
    private readonly List<Sample> samples = [];

    /// <exception cref="FormatException">A line is none of the format, or out of place.</exception>
    public ExpositionPage(string text)
    {
        if (!text.EndsWith('\n'))
        {
            throw new FormatException("the last line does not end");
        }

        var family = string.Empty;
        foreach (var line in text[..^1].Split('\n'))
        {
            if (TypeLine().Match(line) is { Success: true } type)
            {
                family = type.Groups["name"].Value;
                Require(types.TryAdd(family, type.Groups["type"].Value), line, "a metric has one type, told once");
            }
            else if (SampleLine().Match(line) is { Success: true } sample)
            {
                var read = ReadSample(sample);
                Require(family.Length > 0 && IsOf(read.Name, family, types[family]), line, $"it is none of {family}");
                Require(!samples.Any(read.IsSameSeries), line, "a series is told once");
                samples.Add(read);
            }
            else
            {
                Require(HelpLine().IsMatch(line), line, "it is neither a sample nor a comment");
            }
        }

        foreach (var histogram in types.Where(type => type.Value == "histogram"))
        {
            CheckBuckets(histogram.Key);
        }
    }

    /// <summary>What each metric is, by its name.</summary>
    public IReadOnlyDictionary<string, string> Types => types;

    public IReadOnlyList<Sample> Samples => samples;

    /// <summary>The sum of all samples of that name with those labels; null: there is none.</summary>
    public double? Sum(string name, params (string Name, string Value)[] labels)
    {
        var found = samples.Where(sample => sample.Name == name && labels.All(label => sample.Labels.GetValueOrDefault(label.Name) == label.Value)).ToArray();
        return found.Length == 0 ? null : found.Sum(sample => sample.Value);
    }

    /// <summary>The labels of a metric's series, but for those of the format itself.</summary>
    public IReadOnlySet<string> LabelsOf(string family) => samples
        .Where(sample => IsOf(sample.Name, family, types[family]))
        .SelectMany(sample => sample.Labels.Keys)
        .Where(label => label != "le" && !label.StartsWith("otel_scope_", StringComparison.Ordinal))
        .ToHashSet();

    private static bool IsOf(string sample, string family, string type) => type == "histogram"
        ? sample == $"{family}_bucket" || sample == $"{family}_sum" || sample == $"{family}_count"
        : sample == family;

    private static Sample ReadSample(Match line)
    {
        var names = line.Groups["label"].Captures.Select(name => name.Value).ToArray();
        var values = line.Groups["of"].Captures.Select(value => Unescaped(value.Value));
        return new Sample(
            line.Groups["name"].Value,
            names.Zip(values).ToDictionary(label => label.First, label => label.Second),
            line.Groups["value"].Value switch
            {
                "+Inf" => double.PositiveInfinity,
                "-Inf" => double.NegativeInfinity,
                var number => double.Parse(number, CultureInfo.InvariantCulture),
            });
    }

    private static string Unescaped(string text) =>
        Escape().Replace(text, escape => escape.Value == @"\n" ? "\n" : escape.Value[1..]);

    private static void Require(bool condition, string line, string why)
    {
        if (!condition)
        {
            throw new FormatException($"{why}: {line}");
        }
    }

    private void CheckBuckets(string histogram)
    {
        var series = samples.Where(sample => sample.Name == $"{histogram}_bucket").GroupBy(sample => sample.WithoutBound);
        foreach (var buckets in series)
        {
            var bounds = buckets.Select(bucket => Bound(bucket.Labels["le"])).ToArray();
            var counts = buckets.Select(bucket => bucket.Value).ToArray();
            Require(bounds.SequenceEqual(bounds.Order()) && double.IsPositiveInfinity(bounds[^1]), buckets.Key, "bounds grow to +Inf");
            Require(counts.SequenceEqual(counts.Order()), buckets.Key, "buckets are cumulative");
            var count = samples.Single(sample => sample.Name == $"{histogram}_count" && sample.WithoutBound == buckets.Key);
            Require(count.Value == counts[^1], buckets.Key, "the last bucket is the count");
        }
    }

    private static double Bound(string text) => text == "+Inf" ? double.PositiveInfinity : double.Parse(text, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^# TYPE (?<name>[a-zA-Z_:][a-zA-Z0-9_:]*) (?<type>counter|gauge|histogram|summary|untyped)$")]
    private static partial Regex TypeLine();

    [GeneratedRegex(@"^# HELP [a-zA-Z_:][a-zA-Z0-9_:]* ([^\\]|\\\\|\\n)*$")]
    private static partial Regex HelpLine();

    [GeneratedRegex("""^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(\{((?<label>[a-zA-Z_][a-zA-Z0-9_]*)="(?<of>([^"\\]|\\\\|\\"|\\n)*)"(,(?!\})|(?=\})))*\})? (?<value>[-+]?[0-9.]+([eE][-+]?[0-9]+)?|[-+]Inf|NaN)( [0-9]+)?$""")]
    private static partial Regex SampleLine();

    [GeneratedRegex(@"\\.")]
    private static partial Regex Escape();

    public sealed record Sample(string Name, IReadOnlyDictionary<string, string> Labels, double Value)
    {
        /// <summary>All that tells its histogram from others of the same metric.</summary>
        public string WithoutBound { get; } = string.Join(
            ',', Labels.Where(label => label.Key != "le").OrderBy(label => label.Key, StringComparer.Ordinal).Select(label => $"{label.Key}={label.Value}"));

        public bool IsSameSeries(Sample other) => Name == other.Name && WithoutBound == other.WithoutBound
            && Labels.GetValueOrDefault("le") == other.Labels.GetValueOrDefault("le");
    }
}
