using Dbos.Domain.Answers;
using Dbos.Domain.Tasks;

namespace Dbos.Domain.Tests.Tasks;

/// <summary>What the holder of a delivery may do, and who is its holder.</summary>
public sealed class LeaseTests
{
    private const long Unnamed = MeasurementTask.AnyLease;
    private static readonly MeasurementTask Inflight = Lives.Inflight;

    [Fact]
    public void A_task_that_is_due_is_leased_under_the_token_of_its_delivery()
    {
        var until = Samples.Now.AddMinutes(1);
        var decision = (Lives.Pending with { Deliveries = 4 }).Deliver(token: 70, until, Samples.Now);

        decision.IsReplay.Should().BeFalse();
        decision.Events.Should().BeEmpty();
        decision.Next.Should().Be(Lives.Pending with
        {
            Status = MeasurementTaskStatus.Inflight, VisibleAt = until, LeaseToken = 70, Deliveries = 5,
        });
    }

    [Fact]
    public void A_task_is_not_delivered_before_it_is_due() =>
        Lives.Pending.Deliver(token: 70, Samples.Now.AddMinutes(1), Samples.Now - TimeSpan.FromTicks(1)).ShouldBeReplayOf(Lives.Pending);

    [Theory]
    [InlineData(Lives.Token)]
    [InlineData(Unnamed)]
    public void Its_holder_completes_a_task_with_its_token_or_without_any(long token)
    {
        var decision = Inflight.Acknowledge(token, Samples.Now).Value;

        decision.Next.Should().Be(Inflight with { Status = MeasurementTaskStatus.Completed, EndedAt = Samples.Now });
        var told = decision.Events.Should().ContainSingle().Subject;
        told.Type.Should().Be("task_acknowledged");
        told.Message.Should().Be("task task-1 completed");
        told.MetadataOf("lease_token").Should().Be("3");
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void A_lease_that_is_not_the_latest_is_lost_to_every_word(long token)
    {
        var lost = new Refusal(
            RefusalCode.LeaseLost, $"lease {token} of task 'task-1' is lost: the task is inflight, its latest delivery is 3");

        Inflight.Acknowledge(token, Samples.Now).Refusal.Should().Be(lost);
        Inflight.Nack(token).Refusal.Should().Be(lost);
        Inflight.ExtendLease(token, Samples.Now.AddHours(1)).Refusal.Should().Be(lost);
    }

    [Fact]
    public void A_lease_that_ended_is_lost_though_nobody_took_the_task_since() =>
        Inflight.Nack(Lives.Token).Value.Next.Acknowledge(Lives.Token, Samples.Now).Refusal!.Sentence.Should().Be(
            "lease 3 of task 'task-1' is lost: the task is pending, its latest delivery is 3");

    [Fact]
    public void Whoever_names_no_token_is_told_why_the_task_cannot_be_ended()
    {
        Lives.Pending.Acknowledge(Unnamed, Samples.Now).Refusal.Should().Be(new Refusal(
            RefusalCode.InvalidTransition, "task 'task-1' is pending: only an inflight task can be acknowledged"));
        Lives.Completed.Nack(Unnamed).Refusal.Should().Be(new Refusal(
            RefusalCode.InvalidTransition, "task 'task-1' is completed: only an inflight task can be negatively acknowledged"));
    }

    [Fact]
    public void A_holder_is_told_at_each_word_that_its_task_was_cancelled()
    {
        var cancelled = new Refusal(RefusalCode.TaskCancelled, "task 'task-1' was cancelled: stop working on it");

        Lives.Cancelled.ExtendLease(Lives.Token, Samples.Now.AddHours(1)).Refusal.Should().Be(cancelled);
        Lives.Cancelled.Acknowledge(Lives.Token, Samples.Now).Refusal.Should().Be(cancelled);
        Lives.Cancelled.Nack(Lives.Token).Refusal.Should().Be(cancelled);
    }

    [Fact]
    public void An_extended_lease_lasts_until_then_and_keeps_its_token()
    {
        var until = Inflight.VisibleAt.AddSeconds(1);
        var decision = Inflight.ExtendLease(Lives.Token, until).Value;

        decision.Next.Should().Be(Inflight with { VisibleAt = until });
        decision.IsReplay.Should().BeFalse();
        decision.Events.Should().BeEmpty();
        decision.Next.ExpireLease(Inflight.VisibleAt).ShouldBeReplayOf(decision.Next);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-299)]
    public void A_lease_is_never_shortened(int seconds) =>
        Inflight.ExtendLease(Lives.Token, Inflight.VisibleAt.AddSeconds(seconds)).Value.ShouldBeReplayOf(Inflight);

    [Fact]
    public void A_lease_does_not_expire_before_its_time() =>
        Inflight.ExpireLease(Inflight.VisibleAt - TimeSpan.FromTicks(1)).ShouldBeReplayOf(Inflight);

    [Fact]
    public void A_delivery_that_reached_nobody_returns_at_once_and_counts_as_no_failure()
    {
        var decision = Inflight.Release(Lives.Token, Samples.Now.AddSeconds(1));

        decision.Next.Should().Be(Inflight with
        { Status = MeasurementTaskStatus.Pending, VisibleAt = Samples.Now });
        decision.Events.Should().ContainSingle().Which.Type.Should().Be("task_released");
    }

    [Theory]
    [InlineData(-90, -90)]
    [InlineData(90, 0)]
    public void A_task_that_was_released_or_whose_lease_expired_has_its_place_in_the_queue_again(int scheduled, int visible)
    {
        var now = Inflight.VisibleAt;
        var task = Inflight with { ScheduledAt = now.ToUnixTimeSeconds() + scheduled };

        task.Release(Lives.Token, now).Next.VisibleAt.Should().Be(now.AddSeconds(visible));
        task.ExpireLease(now).Next.VisibleAt.Should().Be(now.AddSeconds(visible));
    }

    [Fact]
    public void A_release_needs_the_token_of_its_delivery() => Inflight.Release(Unnamed, Samples.Now).ShouldBeReplayOf(Inflight);
}
