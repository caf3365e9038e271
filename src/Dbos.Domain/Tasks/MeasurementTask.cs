using System.Globalization;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using Names = Dbos.Domain.Audit.AuditEvent.Names;

namespace Dbos.Domain.Tasks;

/// <summary>
/// A unit of work for an agent's module: pending until it is due, inflight while one holder has its lease,
/// then completed, pending again, failed, or cancelled. Every transition is a method here. A store may apply one in a script of
/// its own; one table of tests keeps the two equal.
/// </summary>
/// <param name="ScheduledAt">Unix seconds.</param>
/// <param name="CreatedAt">Unix seconds.</param>
/// <param name="VisibleAt">Pending: not delivered before. Inflight: when the lease expires.</param>
/// <param name="LeaseToken">Of the latest delivery; 0: none yet. It grows with every delivery of the store, so none is used twice, not even for
/// another task of the same id.</param>
public sealed partial record MeasurementTask(
    string Id,
    string AgentId,
    string ModuleName,
    ReadOnlyMemory<byte> Payload,
    long ScheduledAt,
    long CreatedAt,
    MeasurementTaskStatus Status,
    DateTimeOffset VisibleAt,
    RetryPolicy Retry,
    long LeaseToken)
{
    /// <summary>The lease token of a caller that names none: whichever delivery is current.</summary>
    public const long AnyLease = 0;

    public const int HighestPriority = 9;

    /// <summary>0 to <see cref="HighestPriority"/>, which goes first.</summary>
    public int Priority { get; init; }

    /// <summary>How often it was delivered.</summary>
    public long Deliveries { get; init; }

    /// <summary>How often a holder said that it failed.</summary>
    public int Failures { get; init; }

    /// <summary>How often a lease expired.</summary>
    public int Expiries { get; init; }

    public int RetryCount => Failures + Expiries;

    /// <summary>The latest.</summary>
    public TaskDelivery Delivery => new(Id, LeaseToken);

    /// <summary>Why the last delivery failed, or why the task was cancelled.</summary>
    public string LastError { get; init; } = string.Empty;

    /// <summary>Of a dead letter: the limit that was exceeded.</summary>
    public string DeadLetterReason { get; init; } = string.Empty;

    /// <summary>When it was completed, failed for good or was cancelled; null: not yet.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>How its deliveries failed, oldest first; the latest of them.</summary>
    public IReadOnlyList<TaskFailure> History { get; init; } = [];

    /// <summary>The span that scheduled it, as W3C writes it; null: none that anybody keeps.</summary>
    public string? TraceParent { get; init; }

    public static Decision<MeasurementTask> Schedule(MeasurementTask? stored, MeasurementTask wanted)
    {
        if (stored is not null)
        {
            return Decision.Replay(stored);
        }

        var task = wanted with { Status = MeasurementTaskStatus.Pending };
        return Decision.To(task, task.Tell(
            EventTypes.TaskScheduled, "scheduled", ("visible_at", Number(task.VisibleAt.ToUnixTimeSeconds()))));
    }

    /// <summary>Whether a caller that asks for the other task asks for this one, but for the payload.</summary>
    /// <param name="comparesTime">False: the caller left it to DBOS when the other task is due.</param>
    public bool SaysTheSameAs(MeasurementTask other, bool comparesTime) =>
        AgentId == other.AgentId
        && ModuleName == other.ModuleName
        && (!comparesTime || ScheduledAt == other.ScheduledAt)
        && Retry == other.Retry
        && Priority == other.Priority;

    /// <summary>
    /// Called off: a pending task is never delivered, the holder of an inflight one is told at its next word.
    /// Once more is a replay.
    /// </summary>
    public Answer<Decision<MeasurementTask>> Cancel(string reason, DateTimeOffset now) => Status switch
    {
        MeasurementTaskStatus.Cancelled => Decision.Replay(this),
        MeasurementTaskStatus.Pending or MeasurementTaskStatus.Inflight => Decision.To(
            this with { Status = MeasurementTaskStatus.Cancelled, LastError = reason, EndedAt = now },
            Tell(EventTypes.TaskCancelled, $"cancelled while {Status.Word()}", ("reason", reason))),
        _ => new Refusal(
            RefusalCode.InvalidTransition, $"task '{Id}' is {Status.Word()}: only a pending or inflight task can be cancelled"),
    };

    /// <summary>A dead letter gets another life, due at once, its failures and expiries counted anew.</summary>
    public Answer<Decision<MeasurementTask>> Requeue(DateTimeOffset now) => Status == MeasurementTaskStatus.Failed
        ? Decision.To(
            this with
            {
                Status = MeasurementTaskStatus.Pending,
                VisibleAt = now,
                Failures = 0,
                Expiries = 0,
                DeadLetterReason = string.Empty,
                EndedAt = null,
            },
            Tell(EventTypes.TaskRequeued, "requeued from the dead-letter queue"))
        : NotDead("requeued");

    /// <summary>A dead letter goes for good.</summary>
    public Answer<Decision<MeasurementTask>> Delete() => Status == MeasurementTaskStatus.Failed
        ? Decision.Delete(
            this,
            Tell(EventTypes.TaskDeleted, "deleted from the dead-letter queue", ("dead_letter_reason", DeadLetterReason), ("reason", LastError)))
        : NotDead("deleted");

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private Refusal NotDead(string what) => new(
        RefusalCode.InvalidTransition, $"task '{Id}' is {Status.Word()}: only a dead letter, a failed task, can be {what}");

    private AuditEvent Tell(string type, string what, params (string, string)[] more) => new(
        type,
        $"task {Id} {what}",
        [
            (Names.TaskId, Id),
            (Names.AgentId, AgentId),
            (Names.ModuleName, ModuleName),
            ("lease_token", Number(LeaseToken)),
            .. more,
        ]);
}

/// <summary>One delivery of a task: from when a taker was given it until that lease ends in whatever way.</summary>
public readonly record struct TaskDelivery(string TaskId, long LeaseToken);
