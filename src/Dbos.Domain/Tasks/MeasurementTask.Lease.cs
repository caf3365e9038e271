using Dbos.Domain.Answers;
using Dbos.Domain.Audit;

namespace Dbos.Domain.Tasks;

/// <summary>What the holder of a delivery may do with it, and what happens when nothing is heard of the holder.</summary>
public sealed partial record MeasurementTask
{
    public const int MostHistory = 20;
    public const int LongestHistoryError = 256;

    /// <summary>The dead-letter reason of a task whose holder asked for no retry.</summary>
    public const string RejectedByHolder = "rejected";

    /// <summary>A pending task that is due is leased to one holder.</summary>
    /// <param name="token">Larger than any that the store gave before.</param>
    /// <param name="until">When the lease expires.</param>
    /// <returns>A replay if it is not pending, or not due by then.</returns>
    public Decision<MeasurementTask> Deliver(long token, DateTimeOffset until, DateTimeOffset dueBy) =>
        Status == MeasurementTaskStatus.Pending && VisibleAt <= dueBy
            ? Decision.To(this with
            {
                Status = MeasurementTaskStatus.Inflight,
                VisibleAt = until,
                LeaseToken = token,
                Deliveries = Deliveries + 1,
            })
            : Decision.Replay(this);

    /// <summary>The holder is done. Once more by the same holder, or by one that names no token, is a replay.</summary>
    public Answer<Decision<MeasurementTask>> Acknowledge(long token, DateTimeOffset now)
    {
        if (WhyNotHeld(token) is { } lost)
        {
            return lost;
        }

        return Status switch
        {
            MeasurementTaskStatus.Completed => Decision.Replay(this),
            MeasurementTaskStatus.Inflight => Completed(),
            _ => NotInflight("acknowledged"),
        };

        Decision<MeasurementTask> Completed()
        {
            var completed = this with { Status = MeasurementTaskStatus.Completed, EndedAt = now };
            return Decision.To(completed, completed.Tell(EventTypes.TaskAcknowledged, "completed"));
        }
    }

    /// <summary>
    /// The holder failed: the task returns after the delay, or is dead-lettered when out of retries or when the holder asks for it. Once more
    /// with the same token is a replay, as long as the history has the first.
    /// </summary>
    /// <param name="delays">After the first failure, the second, and so on; the last one for all that follow.</param>
    public Answer<Decision<MeasurementTask>> NegativelyAcknowledge(
        long token, IReadOnlyList<TimeSpan> delays, string reason, DateTimeOffset now, NackKind kind = NackKind.Retry)
    {
        if (kind == NackKind.Release)
        {
            return ReleaseByHolder(token, reason, now);
        }

        if (token != AnyLease && History.Any(failure => failure.Kind == TaskFailure.Nack && failure.LeaseToken == token))
        {
            return Decision.Replay(this);
        }

        if (WhyNotHeld(token) is { } lost)
        {
            return lost;
        }

        if (Status != MeasurementTaskStatus.Inflight)
        {
            return NotInflight("negatively acknowledged");
        }

        var failures = Failures + 1;
        var failed = Fail(TaskFailure.Nack, reason, now) with { Failures = failures, VisibleAt = now + delays[Math.Min(failures, delays.Count) - 1] };
        return failed.RequeueOrDeadLetter(
            EventTypes.TaskNacked,
            "negatively acknowledged",
            kind == NackKind.DeadLetter ? RejectedByHolder : failures > Retry.MaxRetries ? "max_retries" : null,
            now,
            ("failure_count", Number(failures)),
            ("max_retries", Number(Retry.MaxRetries)));
    }

    /// <summary>The holder was not heard of in time. A replay if the lease ended otherwise, or was extended, meanwhile.</summary>
    public Decision<MeasurementTask> ExpireLease(DateTimeOffset now)
    {
        if (Status != MeasurementTaskStatus.Inflight || VisibleAt > now)
        {
            return Decision.Replay(this);
        }

        var expiries = Expiries + 1;
        var expired = Fail(TaskFailure.LeaseExpired, $"lease {Number(LeaseToken)} expired", now) with { Expiries = expiries, VisibleAt = DueBy(now) };
        return expired.RequeueOrDeadLetter(
            EventTypes.TaskLeaseExpired,
            "lease expired",
            expiries > Retry.MaxExpiries ? "max_expiries" : null,
            now,
            ("expiry_count", Number(expiries)),
            ("max_expiries", Number(Retry.MaxExpiries)));
    }

    /// <summary>The holder works on, at least until the given time. A replay if it may already. Routine: no event.</summary>
    public Answer<Decision<MeasurementTask>> ExtendLease(long token, DateTimeOffset until)
    {
        if (WhyNotHeld(token) is { } lost)
        {
            return lost;
        }

        if (Status != MeasurementTaskStatus.Inflight)
        {
            return Lost(token);
        }

        return until <= VisibleAt
            ? Decision.Replay(this)
            : Decision.To(this with { VisibleAt = until });
    }

    /// <summary>
    /// The delivery never reached its taker: back at once, and nothing counts it as a failure. A replay if the
    /// lease ended otherwise meanwhile.
    /// </summary>
    public Decision<MeasurementTask> Release(long token, DateTimeOffset now) =>
        Status == MeasurementTaskStatus.Inflight && token == LeaseToken
            ? Decision.To(
                this with { Status = MeasurementTaskStatus.Pending, VisibleAt = DueBy(now) },
                Tell(EventTypes.TaskReleased, "released undelivered"))
            : Decision.Replay(this);

    /// <summary>The delivery was no try that failed: it has its place among those that wait again, by when it was first due.</summary>
    private DateTimeOffset DueBy(DateTimeOffset now)
    {
        var scheduled = DateTimeOffset.FromUnixTimeSeconds(ScheduledAt);
        return scheduled < now ? scheduled : now;
    }

    private MeasurementTask Fail(string kind, string error, DateTimeOffset now) => this with
    {
        LastError = error,
        History =
        [
            .. History.Skip(Math.Max(0, History.Count + 1 - MostHistory)),
            new TaskFailure(LeaseToken, now.ToUnixTimeSeconds(), kind, error.CutShort(LongestHistoryError)),
        ],
    };

    private Decision<MeasurementTask> RequeueOrDeadLetter(
        string type, string what, string? deadLetterReason, DateTimeOffset now, params (string, string)[] counts)
    {
        (string, string)[] told = [.. counts, ("reason", LastError)];
        if (deadLetterReason is null)
        {
            return Decision.To(this with { Status = MeasurementTaskStatus.Pending }, Tell(type, $"{what}, returned to the queue", told));
        }

        return Decision.To(
            this with { Status = MeasurementTaskStatus.Failed, DeadLetterReason = deadLetterReason, EndedAt = now },
            Tell(type, what, told),
            Tell(
                EventTypes.TaskDeadLettered,
                $"moved to the dead-letter queue: {(deadLetterReason == RejectedByHolder ? "rejected by its holder" : $"{deadLetterReason} exceeded")}",
                told));
    }

    /// <summary>
    /// The holder returns its delivery unfinished, and nothing counts it as a failure. Once more with the same token is a replay until the
    /// task is delivered again.
    /// </summary>
    private Answer<Decision<MeasurementTask>> ReleaseByHolder(long token, string reason, DateTimeOffset now)
    {
        // Of all ends of a delivery only a release leaves a pending task and no failure of this delivery.
        if (Status == MeasurementTaskStatus.Pending && token != AnyLease && token == LeaseToken && History.All(failure => failure.LeaseToken != token))
        {
            return Decision.Replay(this);
        }

        if (WhyNotHeld(token) is { } lost)
        {
            return lost;
        }

        return Status == MeasurementTaskStatus.Inflight
            ? Decision.To(
                this with { Status = MeasurementTaskStatus.Pending, VisibleAt = DueBy(now) },
                Tell(EventTypes.TaskReleased, "released by its holder", ("reason", reason)))
            : NotInflight("released");
    }

    /// <summary>The token of the latest delivery holds as long as no other end of that delivery is known.</summary>
    private Refusal? WhyNotHeld(long token)
    {
        var isLatest = token == AnyLease
            || (token == LeaseToken && Status is MeasurementTaskStatus.Inflight or MeasurementTaskStatus.Completed or MeasurementTaskStatus.Cancelled);
        if (!isLatest)
        {
            return Lost(token);
        }

        return Status == MeasurementTaskStatus.Cancelled
            ? new Refusal(RefusalCode.TaskCancelled, $"task '{Id}' was cancelled: stop working on it")
            : null;
    }

    private Refusal Lost(long token) => new(
        RefusalCode.LeaseLost,
        $"lease {Number(token)} of task '{Id}' is lost: the task is {Status.Word()}, its latest delivery is {Number(LeaseToken)}");

    private Refusal NotInflight(string what) => new(
        RefusalCode.InvalidTransition, $"task '{Id}' is {Status.Word()}: only an inflight task can be {what}");
}
