namespace Dbos.Application.Pipeline;

/// <summary>Who caused a change, and in which trace: told with every event.</summary>
/// <param name="TraceParent">The span that caused it, as W3C writes it; null: none that anybody keeps.</param>
public sealed record Origin(string Actor, string TraceId, string? TraceParent = null)
{
    /// <summary>DBOS itself, for a change that no caller asked for.</summary>
    public static Origin Background(string sweep) => new($"dbos:{sweep}", string.Empty);
}

/// <summary>What came with the call beside its message. Filled at the edge, one for each call.</summary>
public sealed class CallContext
{
    public Origin Origin { get; set; } = new("unknown", string.Empty);

    /// <summary>Until the caller's deadline, from when the call came in; null: the caller gave none.</summary>
    public TimeSpan? TimeLeft { get; set; }

    /// <summary>How the call was answered, one of <see cref="Outcomes"/>; null: it was not.</summary>
    public string? Outcome { get; set; }

    /// <summary>The idempotency key that the caller named; null: none.</summary>
    public string? IdempotencyKey { get; set; }
}
