using Dbos.Domain.Audit;

namespace Dbos.Domain.Answers;

/// <summary>
/// What an aggregate decided: its next self and the events that tell of it. A replay changes nothing:
/// <see cref="Next"/> is the aggregate as it stands.
/// </summary>
public sealed record Decision<T>(T Next, bool IsReplay, IReadOnlyList<AuditEvent> Events)
{
    /// <summary>The aggregate is to go for good: <see cref="Next"/> is what it was.</summary>
    public bool Deletes { get; init; }
}

public static class Decision
{
    public static Decision<T> To<T>(T next, params AuditEvent[] events) => new(next, IsReplay: false, events);

    public static Decision<T> Replay<T>(T current) => new(current, IsReplay: true, []);

    public static Decision<T> Delete<T>(T current, params AuditEvent[] events) => new(current, IsReplay: false, events) { Deletes = true };
}
