using System.Globalization;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using Names = Dbos.Domain.Audit.AuditEvent.Names;

namespace Dbos.Domain.Tasks;

/// <summary>
/// A unit of work for an agent's module: pending until it is due, inflight while one holder has its lease,
/// then completed, pending again, or failed. Delivery itself is the store's one atomic take.
/// </summary>
/// <param name="ScheduledAt">Unix seconds.</param>
/// <param name="CreatedAt">Unix seconds.</param>
/// <param name="VisibleAt">Pending: not delivered before. Inflight: when the lease expires.</param>
/// <param name="LeaseToken">The number of the latest delivery; 0: none yet.</param>
public sealed record MeasurementTask(
    string Id,
    string AgentId,
    string ModuleName,
    ReadOnlyMemory<byte> Payload,
    long ScheduledAt,
    long CreatedAt,
    MeasurementTaskStatus Status,
    DateTimeOffset VisibleAt,
    int RetryCount,
    int MaxRetries,
    string LastError,
    long LeaseToken,
    long Version) : IVersioned
{
    /// <summary>The lease token of a caller that names none: whichever delivery is current.</summary>
    public const long AnyLease = 0;

    public static Decision<MeasurementTask> Schedule(MeasurementTask? stored, MeasurementTask wanted)
    {
        if (stored is not null)
        {
            return Decision.Replay(stored);
        }

        var task = wanted with { Status = MeasurementTaskStatus.Pending, Version = 1 };
        return Decision.To(task, task.Tell(
            EventTypes.TaskScheduled, "scheduled", ("visible_at", Number(task.VisibleAt.ToUnixTimeSeconds()))));
    }

    /// <summary>Alike in all that the caller told and DBOS does not count or fill in itself.</summary>
    public bool SaysTheSameAs(MeasurementTask other) =>
        AgentId == other.AgentId
        && ModuleName == other.ModuleName
        && ScheduledAt == other.ScheduledAt
        && MaxRetries == other.MaxRetries
        && Payload.Span.SequenceEqual(other.Payload.Span);

    /// <summary>The holder is done. Once more by the same holder, or by one that names no token, is a replay.</summary>
    public Answer<Decision<MeasurementTask>> Acknowledge(long token)
    {
        if (WhyNotHeld(token) is { } stale)
        {
            return stale;
        }

        return Status switch
        {
            MeasurementTaskStatus.Completed => Decision.Replay(this),
            MeasurementTaskStatus.Inflight => Done(),
            _ => NotInflight("acknowledged"),
        };
    }

    /// <summary>The holder failed: the task returns after the delay, or is dead-lettered when out of retries.</summary>
    public Answer<Decision<MeasurementTask>> NegativelyAcknowledge(long token, TimeSpan delay, string reason, DateTimeOffset now)
    {
        if (WhyNotHeld(token) is { } stale)
        {
            return stale;
        }

        return Status == MeasurementTaskStatus.Inflight
            ? Retry(EventTypes.TaskNacked, "negatively acknowledged", reason, now + delay)
            : NotInflight("negatively acknowledged");
    }

    /// <summary>The holder was not heard of in time. A replay if the lease ended otherwise meanwhile.</summary>
    public Decision<MeasurementTask> ExpireLease(DateTimeOffset now) =>
        Status == MeasurementTaskStatus.Inflight && VisibleAt <= now
            ? Retry(EventTypes.TaskLeaseExpired, "lease expired", $"lease {Number(LeaseToken)} expired", now)
            : Decision.Replay(this);

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private Decision<MeasurementTask> Done()
    {
        var done = this with { Status = MeasurementTaskStatus.Completed, Version = Version + 1 };
        return Decision.To(done, done.Tell(EventTypes.TaskAcknowledged, "completed"));
    }

    private Decision<MeasurementTask> Retry(string type, string what, string error, DateTimeOffset visibleAt)
    {
        var failures = RetryCount + 1;
        var ended = this with { RetryCount = failures, LastError = error, VisibleAt = visibleAt, Version = Version + 1 };
        (string, string)[] count = [("retry_count", Number(failures)), ("max_retries", Number(MaxRetries)), ("reason", error)];
        if (failures <= MaxRetries)
        {
            return Decision.To(ended with { Status = MeasurementTaskStatus.Pending }, Tell(type, $"{what}, returned to the queue", count));
        }

        return Decision.To(
            ended with { Status = MeasurementTaskStatus.Failed },
            Tell(type, what, count),
            Tell(EventTypes.TaskDeadLettered, "moved to the dead-letter queue", count));
    }

    private Refusal? WhyNotHeld(long token) =>
        token == AnyLease || token == LeaseToken && Status is MeasurementTaskStatus.Inflight or MeasurementTaskStatus.Completed
            ? null
            : new Refusal(
                RefusalCode.LeaseLost,
                $"lease {Number(token)} of task '{Id}' is lost: the task is {Status.Word()}, its latest delivery is {Number(LeaseToken)}");

    private Refusal NotInflight(string what) => new(
        RefusalCode.InvalidTransition, $"task '{Id}' is {Status.Word()}: only an inflight task can be {what}");

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
