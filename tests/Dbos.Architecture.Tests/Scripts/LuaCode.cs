using System.Text.RegularExpressions;

namespace Dbos.Architecture.Tests.Scripts;

/// <summary>A script's words without its comments, and the little of Lua's grammar that the rules of scripts need.</summary>
internal sealed partial class LuaCode
{
    private static readonly string[] StatementWords =
        ["break", "do", "else", "elseif", "end", "for", "goto", "if", "in", "local", "repeat", "return", "then", "until", "while"];

    private static readonly string[] Operators = ["and", "or", "not"];

    private readonly string[] words;

    public LuaCode(string script) => words = [.. Word().Matches(Comment().Replace(script, string.Empty)).Select(word => word.Value)];

    /// <summary>What each use of redis is: the arguments of its call; null: it is used otherwise.</summary>
    public IEnumerable<string[]?> RedisCalls =>
        from at in Places("redis")
        let isCall = Next(at, 1) == "." && Next(at, 2) is "call" or "pcall" && Next(at, 3) == "("
        select isCall ? Expressions(at + 4) : null;

    /// <summary>What follows each use of KEYS: its index, or nothing. To count them is no use.</summary>
    public IEnumerable<string?> IndexesOfKeys =>
        from at in Places("KEYS")
        where at == 0 || words[at - 1] != "#"
        select Next(at, 1) == "[" ? Expressions(at + 2)[0] : null;

    /// <summary>The names of functions that are called, not as they are declared.</summary>
    public IEnumerable<string> Calls =>
        from at in Places("(")
        where at > 0 && IsOperand(words[at - 1]) && (at == 1 || words[at - 2] is not ("function" or "."))
        select words[at - 1];

    /// <summary>Targets and values one by one: of statements, and of the fields of constructors, which begin with a dot.</summary>
    public IEnumerable<(string Target, string Value)> Assignments =>
        from at in Places("=")
        let values = Expressions(at + 1)
        let targets = IsInConstructor(at) ? [$".{TargetBefore(at).Text}"] : TargetsBefore(at)
        from pair in targets.Select((target, i) => (target, values.ElementAtOrDefault(i) ?? "nil"))
        select pair;

    /// <summary>What stands for the elements of which list; null: for something else.</summary>
    public IEnumerable<(string[] Names, string? List)> Loops =>
        from at in Places("in")
        select (TargetsBefore(at), Next(at, 1) == "ipairs" ? Expressions(at + 3)[0] : null);

    public IEnumerable<(string Name, string[] Parameters, string[] Returned)> Functions =>
        from at in Places("function")
        let end = EndOfBlock(at)
        let returned = Places("return").Where(place => place > at && place < end).Select(place => Expressions(place + 1)[0])
        select (Next(at, 1), Expressions(at + 3), returned.ToArray());

    private IEnumerable<int> Places(string word) => Enumerable.Range(0, words.Length).Where(at => words[at] == word);

    private string Next(int at, int steps) => at + steps < words.Length ? words[at + steps] : string.Empty;

    /// <summary>From here to where another statement begins or a bracket closes, parted at the commas between.</summary>
    private string[] Expressions(int start)
    {
        var expressions = new List<string> { string.Empty };
        var depth = 0;
        for (var at = start; at < words.Length; at++)
        {
            var word = words[at];
            var before = at > start ? words[at - 1] : ",";
            depth += Nesting(word);
            var beginsAnother = word == ";" || StatementWords.Contains(word) || (EndsValue(before) && IsOperand(word));
            if (depth < 0 || (depth == 0 && beginsAnother))
            {
                break;
            }

            if (depth == 0 && word == ",")
            {
                expressions.Add(string.Empty);
            }
            else
            {
                expressions[^1] += Operators.Contains(word) ? $" {word} " : word;
            }
        }

        return [.. expressions];
    }

    private string[] TargetsBefore(int at)
    {
        var targets = new List<string>();
        int start;
        do
        {
            (var text, start) = TargetBefore(at);
            targets.Insert(0, text);
            at = start - 1;
        }
        while (at > 0 && words[at] == ",");

        return [.. targets];
    }

    /// <summary>A name with the fields and elements that follow it.</summary>
    private (string Text, int Start) TargetBefore(int at)
    {
        var start = at - 1;
        while (start > 0 && (words[start] == "]" || words[start - 1] == "."))
        {
            start = words[start] == "]" ? OpeningOf(start) - 1 : start - 2;
        }

        start = Math.Max(0, start);
        return (string.Concat(words[start..at]), start);
    }

    private int OpeningOf(int close)
    {
        var at = close;
        for (var depth = -1; depth < 0 && at > 0;)
        {
            depth += Nesting(words[--at]);
        }

        return at;
    }

    private bool IsInConstructor(int at) => words[..at].Sum(word => word is "{" or "}" ? Nesting(word) : 0) > 0;

    private int EndOfBlock(int function)
    {
        var at = function;
        for (var depth = 1; depth > 0 && at + 1 < words.Length;)
        {
            depth += words[++at] switch
            {
                "function" or "do" or "if" or "repeat" => 1,
                "end" or "until" => -1,
                _ => 0,
            };
        }

        return at;
    }

    private static int Nesting(string word) => word switch
    {
        "(" or "[" or "{" => 1,
        ")" or "]" or "}" => -1,
        _ => 0,
    };

    private static bool EndsValue(string word) => IsOperand(word) || word is ")" or "]" or "}";

    /// <summary>A name, a number or a string.</summary>
    private static bool IsOperand(string word) => (char.IsLetterOrDigit(word[0]) || word[0] is '_' or '\'' or '"') && !Operators.Contains(word);

    [GeneratedRegex("--.*$", RegexOptions.Multiline)]
    private static partial Regex Comment();

    [GeneratedRegex("""'(\\.|[^'\\])*'|"(\\.|[^"\\])*"|\w+|\.{2,3}|[=~<>]=|\S""", RegexOptions.ExplicitCapture)]
    private static partial Regex Word();
}
