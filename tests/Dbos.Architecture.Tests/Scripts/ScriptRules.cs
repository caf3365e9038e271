using System.Text.RegularExpressions;

namespace Dbos.Architecture.Tests.Scripts;

/// <summary>
/// What Redis Cluster and an event loop of one thread ask of a script. Each rule answers the code that breaks it. Scripts are texts by name.
/// </summary>
internal static partial class ScriptRules
{
    /// <summary>The file that reads the two keys that every script is given: the prefix and the absent key.</summary>
    public const string Args = "args";

    /// <summary>They read records that are no partition's own: their heads say which keys they declare, the absent key last.</summary>
    public static readonly string[] WithKeysOfTheirOwn = ["layout", "last_probe", "probe"];

    /// <summary>Commands that write nothing, and their options.</summary>
    private static readonly string[] Reads =
    [
        "TIME", "GET", "GETRANGE", "STRLEN", "EXISTS", "HGET", "HMGET", "HGETALL", "HEXISTS", "HLEN", "ZCARD", "ZCOUNT", "ZRANGE", "ZRANGEBYLEX",
        "ZRANGEBYSCORE", "ZRANK", "ZREVRANGE", "ZREVRANGEBYSCORE", "ZREVRANK", "ZSCORE", "ZMSCORE", "XLEN", "XRANGE", "XREVRANGE",
        "LIMIT", "WITHSCORES", "COUNT", "EX", "NX", "MAXLEN",
    ];

    private static readonly string[] ThroughAllKeys = ["KEYS", "SCAN", "HSCAN", "SSCAN", "ZSCAN", "RANDOMKEY", "DBSIZE", "FLUSHDB", "FLUSHALL"];

    /// <summary>A script that is run, not only included by others.</summary>
    public static IEnumerable<string> Run(IReadOnlyDictionary<string, string> scripts) =>
        scripts.Keys.Except(scripts.Values.SelectMany(Includes)).Except([Args]);

    /// <summary>All but those with keys of their own build the names of their keys from the prefix that they are given.</summary>
    public static IEnumerable<string> BeginsWithItsArguments(string name, IReadOnlyDictionary<string, string> scripts) =>
        WithKeysOfTheirOwn.Contains(name) || WithIncluded(name, scripts).Contains(Args) ? [] : [name];

    /// <summary>KEYS is read in the file that names its elements, and nowhere else.</summary>
    public static IEnumerable<string> ReadsNoFurtherKeys(string name, string script)
    {
        var uses = Keys().Matches(Code(script)).Select(use => use.Value);
        return WithKeysOfTheirOwn.Contains(name) ? [] : name == Args ? uses.Where(use => use != "KEYS[1]") : uses;
    }

    public static IEnumerable<string> NamesTheAbsentKeyLast(string script) =>
        Head().Match(script) is { Success: true } head && AbsentKeyLast().IsMatch(head.Value) ? [] : [Head().Match(script).Value];

    /// <summary>The absent key stays absent.</summary>
    public static IEnumerable<string> LeavesTheAbsentKeyAlone(string script) => AbsentKey().Matches(Code(script)).Select(use => use.Value);

    /// <summary>Wherever the command's name stands: a plan holds it before it is called.</summary>
    public static IEnumerable<string> GoesThroughNoMoreThanItsKeys(string script) =>
        Texts().Matches(Code(script)).Select(text => text.Groups["text"].Value)
            .Where(text => ThroughAllKeys.Contains(text, StringComparer.OrdinalIgnoreCase));

    /// <summary>Redis is called by the name of a command, by one of two such names, or with what was planned.</summary>
    public static IEnumerable<string> CallsCommandsByName(string script) =>
        Calls().Matches(Code(script)).Select(call => call.Value).Where(call => !NamedCall().IsMatch(call));

    /// <summary>A right to write that only one script needs would be missed when that script has written half.</summary>
    /// <param name="rights">The script that tries every command that writes.</param>
    public static IEnumerable<string> WritesOnlyWhatIsTried(string script, string rights) =>
        CommandsIn(script).Except(Reads).Except(CommandsIn(rights));

    private static IEnumerable<string> CommandsIn(string script) =>
        Texts().Matches(Code(script)).Select(text => text.Groups["text"].Value).Where(text => Word().IsMatch(text)).Distinct();

    private static IEnumerable<string> Includes(string script) => Include().Matches(script).Select(line => line.Groups["name"].Value);

    private static HashSet<string> WithIncluded(string name, IReadOnlyDictionary<string, string> scripts)
    {
        var all = new HashSet<string> { name };
        var next = new Queue<string>([name]);
        while (next.TryDequeue(out var one))
        {
            foreach (var included in Includes(scripts[one]).Where(all.Add))
            {
                next.Enqueue(included);
            }
        }

        return all;
    }

    private static string Code(string script) => Comment().Replace(script, string.Empty);

    [GeneratedRegex("--.*$", RegexOptions.Multiline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"^-- @include (?<name>\w+)\s*$", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Include();

    [GeneratedRegex(@"(?<!['""\w])KEYS\b(\[[^\]]*\])?")]
    private static partial Regex Keys();

    [GeneratedRegex(@"^-- KEYS.*\n(--   .*\n)*", RegexOptions.Multiline)]
    private static partial Regex Head();

    [GeneratedRegex(@"the absent key\s*$")]
    private static partial Regex AbsentKeyLast();

    [GeneratedRegex(@"KEYS\[\s*(2|#KEYS)\s*\]|'absent'|""absent""")]
    private static partial Regex AbsentKey();

    [GeneratedRegex(@"'(?<text>[^'\n]*)'|""(?<text>[^""\n]*)""", RegexOptions.ExplicitCapture)]
    private static partial Regex Texts();

    [GeneratedRegex("^[A-Z]{2,}$")]
    private static partial Regex Word();

    [GeneratedRegex(@"\bredis\b.{0,60}")]
    private static partial Regex Calls();

    [GeneratedRegex(@"^redis\.p?call\(('[A-Z]+'|\w+ and '[A-Z]+' or '[A-Z]+'|unpack\(planned\[i\]\))")]
    private static partial Regex NamedCall();
}
