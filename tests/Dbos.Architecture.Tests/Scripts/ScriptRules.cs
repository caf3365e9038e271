using System.Globalization;
using System.Text.RegularExpressions;

namespace Dbos.Architecture.Tests.Scripts;

/// <summary>
/// What Redis Cluster asks of a script, and what keeps a script readable: it touches the keys that it was given
/// and no other, and its head says which those are. Each rule answers the code that breaks it.
/// </summary>
internal static partial class ScriptRules
{
    private static readonly string[] Keyless = ["'TIME'"];

    /// <summary>The key of every call is an element of KEYS, or a local name for one.</summary>
    public static IEnumerable<string> TouchesGivenKeysOnly(string script)
    {
        var code = Comment().Replace(script, string.Empty);
        var names = NamesOfKeys(code);
        return
            from Match call in Call().Matches(code)
            let command = call.Groups["command"].Value.Trim()
            let key = call.Groups["key"].Value.Trim()
            let isGiven = Element().IsMatch(key) || names.Contains(key)
            where !command.StartsWith('\'') || !(isGiven || Keyless.Contains(command))
            select call.Value;
    }

    /// <summary>Every element of KEYS that the code uses has a number in the head: "2", or "4.." for it and all that follow.</summary>
    public static IEnumerable<string> DeclaresItsKeys(string script)
    {
        var head = Head().Match(script).Value;
        var declared = Declared().Matches(head).ToDictionary(number => Number(number), number => number.Groups["on"].Success);
        return
            from Match used in Used().Matches(Comment().Replace(script, string.Empty))
            let isDeclared = int.TryParse(used.Groups["index"].Value, CultureInfo.InvariantCulture, out var index)
                ? declared.ContainsKey(index)
                : declared.ContainsValue(true)
            where !isDeclared
            select used.Value;
    }

    /// <summary>Names to which nothing but elements of KEYS is ever assigned.</summary>
    private static HashSet<string> NamesOfKeys(string code)
    {
        var assigned = Assignment().Matches(code)
            .SelectMany(assignment => Parts(assignment, "names").Zip(Parts(assignment, "values")))
            .ToLookup(pair => pair.First, pair => pair.Second);
        return [.. assigned.Where(values => values.All(value => Element().IsMatch(value))).Select(values => values.Key)];
    }

    private static IEnumerable<string> Parts(Match match, string group) => match.Groups[group].Value.Split(',').Select(part => part.Trim());

    private static int Number(Match match) => int.Parse(match.Groups["index"].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex("--.*$", RegexOptions.Multiline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"redis\.p?call(\((?<command>[^,)]*)(,(?<key>[^,)]*))?)?", RegexOptions.ExplicitCapture)]
    private static partial Regex Call();

    [GeneratedRegex(@"^KEYS\[\w+\]$")]
    private static partial Regex Element();

    [GeneratedRegex(@"(?<names>\w+(\s*,\s*\w+)*)\s*=(?!=)(?<values>.*)", RegexOptions.ExplicitCapture)]
    private static partial Regex Assignment();

    [GeneratedRegex(@"^-- KEYS.*\n(--   .*\n)*", RegexOptions.Multiline)]
    private static partial Regex Head();

    [GeneratedRegex(@"(?<=\s)(?<index>\d+)(?<on>\.\.)? ", RegexOptions.ExplicitCapture)]
    private static partial Regex Declared();

    [GeneratedRegex(@"KEYS\[(?<index>\w+)\]", RegexOptions.ExplicitCapture)]
    private static partial Regex Used();
}
