using System.Collections.Frozen;
using System.Diagnostics.Metrics;
using System.Text.Json;
using Dbos.Domain.Answers;

namespace Dbos.Application.Pipeline;

/// <summary>How requests were answered, in one word each, and how many writes were answered so.</summary>
public static class Outcomes
{
    /// <summary>Done now, and not before.</summary>
    public const string Done = "done";

    /// <summary>Answered as the first call was: nothing was written.</summary>
    public const string Duplicate = "duplicate";

    public static readonly Meter Meter = new("Dbos.Application");

    private static readonly FrozenDictionary<RefusalCode, string> Refused = Enum.GetValues<RefusalCode>()
        .ToFrozenDictionary(code => code, code => JsonNamingPolicy.SnakeCaseLower.ConvertName(code.ToString()));

    private static readonly Counter<long> Writes = Meter.CreateCounter<long>(
        "dbos.writes", "{write}", "Writes that were answered, each of a batch by itself.");

    public static string Of<TAnswer>(TAnswer answer)
        where TAnswer : IAnswer<TAnswer> =>
        answer.Refusal is { } refusal ? Refused[refusal.Code]
        : answer is Answer<Written> { Value.Duplicate: true } ? Duplicate
        : Done;

    public static void Count(IWrite write, string outcome)
    {
        if (Writes.Enabled)
        {
            Writes.Add(1, new("dbos.command", write.GetType().Name), new("dbos.outcome", outcome));
        }
    }
}
