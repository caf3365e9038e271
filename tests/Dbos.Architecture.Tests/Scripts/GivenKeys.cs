using System.Text.RegularExpressions;

namespace Dbos.Architecture.Tests.Scripts;

/// <summary>
/// What in some scripts stands for an element of KEYS, or for a list of them: names, fields and functions that nothing else
/// is ever assigned to or returned by. A script's names are its own; fields and functions are shared, as scripts are put together.
/// </summary>
internal sealed partial class GivenKeys
{
    private readonly HashSet<string> keys = [];
    private readonly HashSet<string> lists = [];

    public GivenKeys(params LuaCode[] scripts)
    {
        var sources = scripts.SelectMany(Sources).ToLookup(source => source.Symbol);
        bool isMoreKnown;
        do
        {
            var known = keys.Count + lists.Count;
            keys.UnionWith(sources.Where(all => all.All(source => !source.OfElement && IsKey(source.Script, source.Value))).Select(all => all.Key));
            lists.UnionWith(sources
                .Where(all => all.All(source => source.OfElement ? IsKey(source.Script, source.Value) : IsList(source.Script, source.Value)))
                .Select(all => all.Key));
            isMoreKnown = keys.Count + lists.Count > known;
        }
        while (isMoreKnown);
    }

    private sealed record Source(LuaCode Script, string Symbol, string Value, bool OfElement);

    public bool IsKey(LuaCode script, string expression)
    {
        if (ElementOfKeys().IsMatch(expression))
        {
            return true;
        }

        var element = Element().Match(expression);
        return element.Success ? lists.Contains(Symbol(script, element.Groups["list"].Value)) : keys.Contains(Symbol(script, expression));
    }

    /// <summary>A function that answers with given keys.</summary>
    public bool IsReader(string function) => keys.Contains($"{function}()") || lists.Contains($"{function}()");

    private bool IsList(LuaCode script, string expression) => expression == "{}" || lists.Contains(Symbol(script, expression));

    private static IEnumerable<Source> Sources(LuaCode script)
    {
        foreach (var (target, value) in script.Assignments)
        {
            var element = Element().Match(target);
            yield return new Source(script, Symbol(script, element.Success ? element.Groups["list"].Value : target), value, element.Success);
        }

        foreach (var (names, list) in script.Loops)
        {
            yield return new Source(script, Symbol(script, names[^1]), list is null ? "?" : $"{list}[_]", OfElement: false);
        }

        foreach (var (name, parameters, returned) in script.Functions)
        {
            foreach (var parameter in parameters)
            {
                yield return new Source(script, Symbol(script, parameter), "?", OfElement: false);
            }

            foreach (var value in returned)
            {
                yield return new Source(script, Symbol(script, $"{name}()"), value, OfElement: false);
            }
        }
    }

    /// <summary>Fields by their own name, whatever they are a field of; calls without their arguments; else the script's name.</summary>
    private static string Symbol(LuaCode script, string expression)
    {
        var named = NamedElement().Replace(expression, ".$1");
        return Field().Match(named) is { Success: true } field ? field.Value
            : Arguments().IsMatch(named) ? Arguments().Replace(named, "()")
            : $"{script.GetHashCode()}:{named}";
    }

    [GeneratedRegex(@"^KEYS\[[^\[\]]*\]$")]
    private static partial Regex ElementOfKeys();

    [GeneratedRegex(@"^(?<list>[\w.]+(\(([^()]|\([^()]*\))*\))?)\[[^\[\]'""]*\]$")]
    private static partial Regex Element();

    [GeneratedRegex(@"\[['""](\w+)['""]\]$")]
    private static partial Regex NamedElement();

    [GeneratedRegex(@"\.\w+$")]
    private static partial Regex Field();

    [GeneratedRegex(@"(?<=^\w+)\(([^()]|\([^()]*\))*\)$")]
    private static partial Regex Arguments();
}
