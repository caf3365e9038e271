using Dbos.Domain.Audit;

namespace Dbos.Application.Pipeline;

/// <summary>
/// What lands in a command's one commit beside the record: the behaviours and the decision contribute,
/// the repository commits.
/// </summary>
public sealed class CommitContext
{
    private Origin? origin;

    public Origin Origin
    {
        get => origin ?? throw new InvalidOperationException("a command reached its commit without passing the audit behaviour");
        set => origin = value;
    }

    public IdempotencyMark? Mark { get; set; }

    public IReadOnlyList<AuditEvent> Events { get; set; } = [];

    /// <summary>The call, or the result in it, says other things than what was stored before.</summary>
    public bool ReplayDiffered { get; set; }
}

/// <summary>Remembers for <see cref="Lifetime"/> that a command was done and what it was answered.</summary>
/// <param name="Name">What makes the command the same: its type, the kind of key, the record's id, the key.</param>
public sealed record IdempotencyMark(string[] Name, ContentHash Content)
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(24);
}
