using Dbos.Domain.Answers;
using Dbos.Domain.Tasks;
using Dbos.Model.Tests.Steps;

namespace Dbos.Model.Tests.Model;

/// <summary>What holders may do with their deliveries, and what happens when nothing is heard of them.</summary>
internal sealed partial class QueueModel
{
    public Reply Ack(int task, long token, string? key, Span now) => Write(
        Named(nameof(Ack), IdOf(task), key),
        token,
        Find(IdOf(task)),
        found => WhyNotHeld(found, token) is { } lost ? lost : found.Status switch
        {
            MeasurementTaskStatus.Completed => Verdict.Replay,
            MeasurementTaskStatus.Inflight => Verdict.Change(() =>
            {
                End(found, MeasurementTaskStatus.Completed, now);
                Count("completed");
            }),
            _ => RefusalCode.InvalidTransition,
        });

    /// <summary>A delivery fails once: a nack that stands in the history under this token is a replay.</summary>
    public Reply Nack(Nack nack, long token, string reason, Span now) => Write(
        Named(nameof(Nack), IdOf(nack.Task), nack.Key),
        (token, nack.AtOnce, nack.DelayHours, reason),
        Find(IdOf(nack.Task)),
        found => token != MeasurementTask.AnyLease && found.History.Contains(ModelTask.HistoryOf(token, TaskFailure.Nack)) ? Verdict.Replay
            : WhyNotHeld(found, token) is { } lost ? lost
            : found.Status != MeasurementTaskStatus.Inflight ? RefusalCode.InvalidTransition
            : Verdict.Change(() =>
            {
                found.Failures++;
                Count("nacked");
                Fail(found, TaskFailure.Nack, reason, found.Failures > found.Retry.MaxRetries ? "max_retries" : null, now);
                found.Visible = Delayed(nack, found.Failures, now);
            }));

    public Reply Extend(int task, long token, int hours, string? key, Span now) => token < 1
        ? RefusalCode.Validation
        : Write(
            Named(nameof(Extend), IdOf(task), key),
            (token, hours),
            Find(IdOf(task)),
            found => WhyNotHeld(found, token) is { } lost ? lost
                : found.Status != MeasurementTaskStatus.Inflight ? RefusalCode.LeaseLost
                : now.To + TimeSpan.FromHours(hours) <= found.Visible.Instant ? Verdict.Replay
                : Verdict.Change(() =>
                {
                    found.Visible = now + TimeSpan.FromHours(hours);
                    Count("lease_extended");
                }));

    /// <summary>The deliveries of the given tokens never reached their taker.</summary>
    public void GiveBack(IEnumerable<(string Id, long Token)> deliveries, Span now)
    {
        foreach (var (id, token) in deliveries)
        {
            if (Find(id) is { Status: MeasurementTaskStatus.Inflight } task && task.Token == token)
            {
                task.Status = MeasurementTaskStatus.Pending;
                task.Visible = task.DueBy(now);
                Count("released");
            }
        }
    }

    /// <returns>How many.</returns>
    public int ExpireLeases(Span now)
    {
        var expired = Tasks.Where(task => task.Status == MeasurementTaskStatus.Inflight && task.Visible.Instant <= now.To).ToList();
        foreach (var task in expired)
        {
            task.Expiries++;
            Count("lease_expired");
            Fail(
                task,
                TaskFailure.LeaseExpired,
                $"lease {task.Token} expired",
                task.Expiries > task.Retry.MaxExpiries ? "max_expiries" : null,
                now);
            task.Visible = task.DueBy(now);
        }

        return expired.Count;
    }

    private static RefusalCode? WhyNotHeld(ModelTask task, long token)
    {
        var isEnded = task.Status is MeasurementTaskStatus.Pending or MeasurementTaskStatus.Failed;
        return token != MeasurementTask.AnyLease && (token != task.Token || isEnded) ? RefusalCode.LeaseLost
            : task.Status == MeasurementTaskStatus.Cancelled ? RefusalCode.TaskCancelled
            : null;
    }

    /// <summary>Back to the queue, or among the dead letters for the given reason.</summary>
    private void Fail(ModelTask task, string kind, string error, string? deadLetterReason, Span now)
    {
        task.LastError = error;
        task.History.Add(ModelTask.HistoryOf(task.Token, kind));
        if (deadLetterReason is null)
        {
            task.Status = MeasurementTaskStatus.Pending;
            return;
        }

        End(task, MeasurementTaskStatus.Failed, now);
        task.DeadLetterReason = deadLetterReason;
        Count("dead_lettered");
    }

    private Span Delayed(Nack nack, int failures, Span now)
    {
        if (nack.AtOnce || nack.DelayHours > 0)
        {
            return now + TimeSpan.FromHours(nack.DelayHours);
        }

        var full = policy.RetryBackoff.Base * Math.Pow(2, failures - 1);
        var capped = full < policy.RetryBackoff.Cap ? full : policy.RetryBackoff.Cap;
        return new Span(now.From + (capped / 2), now.To + capped);
    }
}
