namespace Dbos.Chaos.Histories;

public enum Method
{
    RegisterAgent,
    SetModuleState,
    ListModuleStates,
    StoreResult,
    ScheduleTask,
    ScheduleTasks,
    ListDueTasks,
    StreamDueTasks,
    ExtendTaskLease,
    AckTask,
    AckTasks,
    NackTask,
    CancelTask,
    RequeueDeadLetterTasks,
    DeleteDeadLetterTask,
}

internal enum Outcome
{
    Acknowledged,

    /// <summary>DBOS answered that it will not.</summary>
    Refused,

    /// <summary>No answer, or that DBOS could not answer: it was done, or it was not.</summary>
    Unknown,
}

/// <summary>What a client asked and what it heard: a call, one item of a batch, or one task that a call delivered.</summary>
/// <param name="Id">The same for all items of one call. A call that is sent again is another.</param>
/// <param name="Subject">What it is about: see <see cref="Subjects"/>. Empty: a call that delivered nothing.</param>
/// <param name="Started">Since the history began, by the one clock of all clients.</param>
internal sealed record Call(long Id, string Client, Method Method, string Subject, TimeSpan Started, TimeSpan Ended, Outcome Outcome)
{
    /// <summary>A task's lease token, a module state's version, an agent's heartbeats.</summary>
    public long Number { get; init; }

    /// <summary>A fingerprint of what is to be kept. Of an ack: of the result that it carries with a state, or empty.</summary>
    public string Content { get; init; } = string.Empty;

    /// <summary>Why it was refused, or the gRPC status that stood for an answer.</summary>
    public string Code { get; init; } = string.Empty;

    /// <summary>What that status said beside.</summary>
    public string Detail { get; init; } = string.Empty;

    /// <summary>It was acknowledged as a replay.</summary>
    public bool Duplicate { get; init; }

    /// <summary>Of a delivery or an extension: until when the holder may rely on the lease.</summary>
    public TimeSpan? HeldUntil { get; init; }

    public bool IsAcknowledged => Outcome == Outcome.Acknowledged;

    /// <summary>This very call did it, not an earlier one that it repeats.</summary>
    public bool IsDone => IsAcknowledged && !Duplicate;

    public bool IsDelivery => Method is Method.ListDueTasks or Method.StreamDueTasks && Subject.Length > 0;

    public bool IsAck => Method is Method.AckTask or Method.AckTasks;
}
