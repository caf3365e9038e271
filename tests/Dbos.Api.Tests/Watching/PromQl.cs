using System.Text.RegularExpressions;

namespace Dbos.Api.Tests.Watching;

/// <summary>The names of samples and labels that a PromQL query asks for, and the values that it knows. Knows as much of the language as dashboards use.</summary>
public sealed partial class PromQl
{
    private static readonly HashSet<string> Operators = ["and", "or", "unless", "bool", "offset", "group_left", "group_right"];
    private static readonly HashSet<string> Groupings = ["by", "without", "on", "ignoring"];

    private readonly HashSet<string> metrics = [];
    private readonly HashSet<string> labels = [];
    private readonly List<(string Label, string Pattern)> matchers = [];

    public PromQl(string query)
    {
        var tokens = Token().Matches(query).Select(token => token.Value).ToArray();
        var areLabels = false;
        var label = string.Empty;
        for (var i = 0; i < tokens.Length; i++)
        {
            var next = i + 1 < tokens.Length ? tokens[i + 1] : string.Empty;
            if (tokens[i] == "{" || Groupings.Contains(tokens[i]))
            {
                areLabels = true;
            }
            else if (areLabels && tokens[i] is "}" or ")")
            {
                areLabels = false;
            }
            else if (Name().IsMatch(tokens[i]) && !Operators.Contains(tokens[i]) && (areLabels || !IsCall(next)))
            {
                (areLabels ? labels : metrics).Add(tokens[i]);
                label = tokens[i];
            }
            else if (areLabels && tokens[i].StartsWith('"'))
            {
                matchers.Add((label, tokens[i][1..^1]));
            }
        }
    }

    public IReadOnlySet<string> Metrics => metrics;

    public IReadOnlySet<string> Labels => labels;

    /// <summary>What labels are compared with, whether they are to be so or not.</summary>
    public IReadOnlyList<(string Label, string Pattern)> Matchers => matchers;

    /// <summary>A function, or an aggregation in front of what it groups by.</summary>
    private static bool IsCall(string next) => next == "(" || Groupings.Contains(next);

    /// <summary>Texts, ranges, names, numbers, then any one sign.</summary>
    [GeneratedRegex("""
        "(?:[^"\\]|\\.)*"|\[[^\]]*\]|[a-zA-Z_:][\w:]*|[0-9.]+[a-z]*|\S
        """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Token();

    [GeneratedRegex(@"^[a-zA-Z_:][\w:]*$")]
    private static partial Regex Name();
}
