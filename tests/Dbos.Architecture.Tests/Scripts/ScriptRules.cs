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
    private static readonly string[] KeylessWithArguments = ["'PUBLISH'"];

    /// <summary>The key of every call is an element of KEYS, or stands for one.</summary>
    /// <param name="beside">Scripts that it may be put together with.</param>
    public static IEnumerable<string> TouchesGivenKeysOnly(string script, params string[] beside)
    {
        var code = new LuaCode(script);
        var given = new GivenKeys([code, .. beside.Select(other => new LuaCode(other))]);
        return
            from call in code.RedisCalls
            let isGood = call switch
            {
                [var command] => Keyless.Contains(command),
                [['\'', ..] command, var key, ..] => KeylessWithArguments.Contains(command) || given.IsKey(code, key),
                _ => false,
            }
            where !isGood
            select call is null ? "redis" : string.Join(", ", call);
    }

    /// <summary>Every element of KEYS that the code uses has a number in the head, or is among those that follow one after the other.</summary>
    /// <param name="beside">Scripts that it may be put together with.</param>
    public static IEnumerable<string> DeclaresItsKeys(string script, params string[] beside)
    {
        var head = Head().Match(script).Value;
        var declared = Declared().Matches(head).Select(number => number.Value).ToHashSet();
        var code = new LuaCode(script);
        var given = new GivenKeys([code, .. beside.Select(other => new LuaCode(other))]);
        var undeclared = code.IndexesOfKeys.Where(index => IsNumber(index) ? !declared.Contains(index!) : !GoesOn().IsMatch(head));
        var read = code.Calls.Where(function => given.IsReader(function) && !GoesOn().IsMatch(head));
        return [.. undeclared.Select(index => $"KEYS[{index}]"), .. read.Select(function => $"{function}()")];
    }

    private static bool IsNumber(string? index) => int.TryParse(index, CultureInfo.InvariantCulture, out _);

    /// <summary>What the head says of KEYS whose number the code reckons.</summary>
    [GeneratedRegex("for each|one after the other")]
    private static partial Regex GoesOn();

    [GeneratedRegex(@"^-- KEYS.*\n(--   .*\n)*", RegexOptions.Multiline)]
    private static partial Regex Head();

    [GeneratedRegex(@"(?<=\s)\d+(?= )")]
    private static partial Regex Declared();
}
