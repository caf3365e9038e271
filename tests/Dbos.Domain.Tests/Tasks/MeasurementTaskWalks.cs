using Dbos.Domain.Answers;
using Dbos.Domain.Tasks;
using FsCheck.Xunit;

namespace Dbos.Domain.Tests.Tasks;

/// <summary>
/// Random walks through a task's life: deliveries, words of holders with current, stale and no tokens, leases
/// that expire or are released, cancellations, requeued dead letters, and time that passes.
/// </summary>
public sealed class MeasurementTaskWalks
{
    public enum Act
    {
        Deliver,
        Acknowledge,
        NegativelyAcknowledge,
        Extend,
        Expire,
        Release,
        Cancel,
        Requeue,
    }

    private static readonly Act[] OfHolders = [Act.Acknowledge, Act.NegativelyAcknowledge, Act.Extend, Act.Release];

    public sealed record Move(Act Act, bool NamesToken, byte Stale, byte Minutes);

    public sealed record Limits(byte Retries, byte Expiries)
    {
        public RetryPolicy Policy => new(Retries % 5, Expiries % 7);
    }

    private sealed record Step(MeasurementTask Before, Act Act, long Token, Answer<Decision<MeasurementTask>> Answer)
    {
        public MeasurementTask After => Answer.IsRefused ? Before : Answer.Value.Next;

        public bool Changes => !ReferenceEquals(After, Before);

        public bool Is(Act act) => Changes && Act == act;
    }

    [Property]
    public bool A_task_is_tried_at_most_once_more_than_each_limit_and_is_then_a_dead_letter(Move[] moves, Limits limits) =>
        Walk(moves, limits).All(step =>
        {
            var (task, retry) = (step.After, step.After.Retry);
            var reason = task.Failures > retry.MaxRetries ? "max_retries" : task.Expiries > retry.MaxExpiries ? "max_expiries" : string.Empty;
            return task.Failures <= retry.MaxRetries + 1
                && task.Expiries <= retry.MaxExpiries + 1
                && task.DeadLetterReason == reason
                && (task.Status == MeasurementTaskStatus.Failed) == (reason.Length > 0);
        });

    [Property]
    public bool A_completed_or_cancelled_task_stays(Move[] moves, Limits limits)
    {
        var ended = Walk(moves, limits)
            .SkipWhile(step => step.Before.Status is not (MeasurementTaskStatus.Completed or MeasurementTaskStatus.Cancelled))
            .ToList();
        return ended.All(step => ReferenceEquals(step.After, ended[0].Before));
    }

    [Property]
    public bool A_dead_letter_leaves_only_by_being_requeued(Move[] moves, Limits limits) =>
        Walk(moves, limits)
            .Where(step => step.Changes && step.Before.Status == MeasurementTaskStatus.Failed)
            .All(step => step is { Act: Act.Requeue, After: { Status: MeasurementTaskStatus.Pending, RetryCount: 0 } });

    [Property]
    public bool Each_change_is_told_but_for_the_routine_ones(Move[] moves, Limits limits) =>
        Walk(moves, limits).Where(step => step.Changes).All(step =>
            step.Answer.Value is { IsReplay: false, Deletes: false, Events: var told }
            && told.Count > 0 == step.Act is not (Act.Deliver or Act.Extend));

    [Property]
    public bool Only_the_holder_of_the_latest_lease_changes_a_task_in_its_name(Move[] moves, Limits limits) =>
        Walk(moves, limits)
            .Where(step => step.Changes && OfHolders.Contains(step.Act))
            .All(step => step.Before.Status == MeasurementTaskStatus.Inflight
                && (step.Token == MeasurementTask.AnyLease || step.Token == step.Before.LeaseToken));

    [Property]
    public bool Each_failure_and_each_expiry_counts_once_and_nothing_else_does(Move[] moves, Limits limits) =>
        Walk(moves, limits).Where(step => !step.Is(Act.Requeue)).All(step =>
            step.After.Failures - step.Before.Failures == (step.Is(Act.NegativelyAcknowledge) ? 1 : 0)
            && step.After.Expiries - step.Before.Expiries == (step.Is(Act.Expire) ? 1 : 0));

    [Property]
    public bool Each_failed_delivery_stands_in_the_history_with_its_token(Move[] moves, Limits limits) =>
        Walk(moves, limits).All(step => step.Is(Act.NegativelyAcknowledge) || step.Is(Act.Expire)
            ? step.After.History.Count <= 20 && step.After.History[^1].LeaseToken == step.Before.LeaseToken
            : ReferenceEquals(step.After.History, step.Before.History));

    [Property]
    public bool Each_delivery_counts_and_has_a_token_of_its_own(Move[] moves, Limits limits)
    {
        var steps = Walk(moves, limits).ToList();
        var tokens = steps.Where(step => step.Is(Act.Deliver)).Select(step => step.After.LeaseToken).ToList();
        return tokens.SequenceEqual(tokens.Distinct().Order())
            && steps.All(step => step.After.Deliveries - step.Before.Deliveries == (step.Is(Act.Deliver) ? 1 : 0))
            && steps.All(step => step.After.LeaseToken == step.Before.LeaseToken || step.Is(Act.Deliver));
    }

    [Property]
    public bool An_extended_lease_ends_later_and_stays_the_same_lease(Move[] moves, Limits limits) =>
        Walk(moves, limits).Where(step => step.Is(Act.Extend)).All(step =>
            step.After.VisibleAt > step.Before.VisibleAt && step.After.LeaseToken == step.Before.LeaseToken);

    [Property]
    public bool A_task_has_ended_exactly_when_it_says_since_when(Move[] moves, Limits limits) =>
        Walk(moves, limits).All(step =>
            step.After.EndedAt.HasValue
            == step.After.Status is MeasurementTaskStatus.Completed or MeasurementTaskStatus.Failed or MeasurementTaskStatus.Cancelled);

    [Property]
    public bool What_the_scheduler_told_never_changes(Move[] moves, Limits limits) =>
        Walk(moves, limits).All(step => step.After.SaysTheSameAs(step.Before, comparesTime: true) && step.After.CreatedAt == step.Before.CreatedAt);

    [Fact]
    public void The_walks_meet_every_act()
    {
        Move Do(Act act, byte minutes = 0) => new(act, NamesToken: true, Stale: 0, minutes);
        Move[] moves =
        [
            Do(Act.Deliver), Do(Act.Release), Do(Act.Deliver), Do(Act.Extend, minutes: 3), Do(Act.NegativelyAcknowledge), Do(Act.Requeue),
            Do(Act.Deliver), Do(Act.Expire, minutes: 3), Do(Act.Expire, minutes: 3), Do(Act.Requeue), Do(Act.Deliver), Do(Act.Acknowledge),
        ];

        Walk(moves, new Limits(0, 0)).Where(step => step.Changes).Select(step => step.Act).Should().Equal(
            Act.Deliver, Act.Release, Act.Deliver, Act.Extend, Act.NegativelyAcknowledge, Act.Requeue,
            Act.Deliver, Act.Expire, Act.Requeue, Act.Deliver, Act.Acknowledge);
    }

    private static IEnumerable<Step> Walk(Move[] moves, Limits limits)
    {
        var task = MeasurementTask.Schedule(null, Samples.Task with { Retry = limits.Policy }).Next;
        var now = Samples.Now;
        foreach (var move in moves)
        {
            now += TimeSpan.FromMinutes(move.Minutes % 4);
            var token = move.NamesToken ? Math.Max(1, task.LeaseToken - (move.Stale % 2)) : MeasurementTask.AnyLease;
            var step = new Step(task, move.Act, token, Do(task, move, token, now));
            yield return step;
            task = step.After;
        }
    }

    private static Answer<Decision<MeasurementTask>> Do(MeasurementTask task, Move move, long token, DateTimeOffset now) => move.Act switch
    {
        Act.Deliver => task.Deliver(task.LeaseToken + 1, now + Delivery.Lease, now),
        Act.Acknowledge => task.Acknowledge(token, now),
        Act.NegativelyAcknowledge => task.NegativelyAcknowledge(token, [TimeSpan.FromMinutes(move.Minutes % 2)], "no route", now),
        Act.Extend => task.ExtendLease(token, now + Delivery.Lease),
        Act.Expire => task.ExpireLease(now),
        Act.Release => task.Release(token, now),
        Act.Cancel => task.Cancel("obsolete", now),
        _ => task.Requeue(now),
    };
}
