using System.Collections.Frozen;
using System.Text.Json;
using Dbos.Domain.Answers;

namespace Dbos.Application.Pipeline;

/// <summary>How requests were answered, in one word each.</summary>
public static class Outcomes
{
    /// <summary>Done now, and not before.</summary>
    public const string Done = "done";

    /// <summary>Answered as the first call was: nothing was written.</summary>
    public const string Duplicate = "duplicate";

    private static readonly FrozenDictionary<RefusalCode, string> Refused = Enum.GetValues<RefusalCode>()
        .ToFrozenDictionary(code => code, code => JsonNamingPolicy.SnakeCaseLower.ConvertName(code.ToString()));

    public static string Of<TAnswer>(TAnswer answer)
        where TAnswer : IAnswer<TAnswer> =>
        answer.Refusal is { } refusal ? Refused[refusal.Code]
        : answer is Answer<Written> { Value.Duplicate: true } ? Duplicate
        : Done;
}
