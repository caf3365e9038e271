using Dbos.Domain.Answers;
using Dbos.Domain.Tasks;
using FsCheck.Xunit;

namespace Dbos.Domain.Tests.Tasks;

/// <summary>
/// Random walks through a task's life: deliveries, acknowledgements of current, stale and no tokens, leases
/// that expire, and time that passes.
/// </summary>
public sealed class MeasurementTaskWalks
{
    public enum Act
    {
        Deliver,
        Acknowledge,
        NegativelyAcknowledge,
        Expire,
    }

    public sealed record Move(Act Act, bool NamesToken, byte Stale, byte Minutes);

    private sealed record Step(MeasurementTask Before, Act Act, long Token, Answer<Decision<MeasurementTask>> Answer)
    {
        public MeasurementTask After => Answer.IsRefused ? Before : Answer.Value.Next;

        public bool Changes => !ReferenceEquals(After, Before);
    }

    [Property]
    public bool A_task_is_tried_at_most_once_more_than_its_retries(Move[] moves, byte maxRetries) =>
        Walk(moves, maxRetries).All(step =>
            step.After.RetryCount <= step.After.MaxRetries + 1
            && (step.After.Status == MeasurementTaskStatus.Failed) == (step.After.RetryCount > step.After.MaxRetries));

    [Property]
    public bool A_completed_or_failed_task_stays(Move[] moves, byte maxRetries)
    {
        var ended = Walk(moves, maxRetries).SkipWhile(step => !IsEnd(step.Before)).ToList();
        return ended.All(step => ReferenceEquals(step.After, ended[0].Before));
    }

    [Property]
    public bool Each_change_makes_the_next_version_and_tells_of_it(Move[] moves, byte maxRetries) =>
        Walk(moves, maxRetries).Where(step => step.Changes).All(step =>
            step.After.Version == step.Before.Version + 1
            && step.Answer.Value is { IsReplay: false, Events.Count: > 0 });

    [Property]
    public bool Only_the_holder_of_the_latest_lease_changes_a_task(Move[] moves, byte maxRetries) =>
        Walk(moves, maxRetries)
            .Where(step => step.Changes && step.Act is not Act.Expire)
            .All(step => step.Before.Status == MeasurementTaskStatus.Inflight
                && (step.Token == MeasurementTask.AnyLease || step.Token == step.Before.LeaseToken));

    [Property]
    public bool Each_failed_try_counts_once_and_nothing_else_does(Move[] moves, byte maxRetries) =>
        Walk(moves, maxRetries).All(step =>
            step.After.RetryCount - step.Before.RetryCount
            == (step.Changes && step.Act is not Act.Acknowledge ? 1 : 0));

    [Property]
    public bool What_the_scheduler_told_never_changes(Move[] moves, byte maxRetries) =>
        Walk(moves, maxRetries).All(step => step.After.SaysTheSameAs(step.Before) && step.After.CreatedAt == step.Before.CreatedAt);

    private static bool IsEnd(MeasurementTask task) => task.Status is MeasurementTaskStatus.Completed or MeasurementTaskStatus.Failed;

    private static IEnumerable<Step> Walk(Move[] moves, byte maxRetries)
    {
        var task = MeasurementTask.Schedule(null, Samples.Task with { MaxRetries = maxRetries % 5 }).Next;
        var now = Samples.Now;
        foreach (var move in moves)
        {
            now += TimeSpan.FromMinutes(move.Minutes % 4);
            if (move.Act == Act.Deliver)
            {
                var isDue = task.Status == MeasurementTaskStatus.Pending && task.VisibleAt <= now;
                task = isDue ? task.DeliveredAt(now) : task;
                continue;
            }

            var token = move.NamesToken ? Math.Max(1, task.LeaseToken - (move.Stale % 2)) : MeasurementTask.AnyLease;
            var step = new Step(task, move.Act, token, Do(task, move, token, now));
            yield return step;
            task = step.After;
        }
    }

    private static Answer<Decision<MeasurementTask>> Do(MeasurementTask task, Move move, long token, DateTimeOffset now) => move.Act switch
    {
        Act.Acknowledge => task.Acknowledge(token),
        Act.NegativelyAcknowledge => task.NegativelyAcknowledge(token, TimeSpan.FromMinutes(move.Minutes % 2), "no route", now),
        _ => task.ExpireLease(now),
    };
}
