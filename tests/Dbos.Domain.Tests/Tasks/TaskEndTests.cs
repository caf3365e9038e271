using Dbos.Domain.Answers;
using Dbos.Domain.Tasks;

namespace Dbos.Domain.Tests.Tasks;

/// <summary>Tasks that are called off, and dead letters.</summary>
public sealed class TaskEndTests
{
    public static TheoryData<MeasurementTask, string> Cancellable => new()
    {
        { Lives.Pending, "task task-1 cancelled while pending" },
        { Lives.Inflight, "task task-1 cancelled while inflight" },
    };

    [Theory]
    [MemberData(nameof(Cancellable))]
    public void A_task_is_called_off_for_a_reason(MeasurementTask task, string message)
    {
        var decision = task.Cancel("obsolete", Samples.Now).Value;

        decision.Next.Should().Be(task with
        {
            Status = MeasurementTaskStatus.Cancelled, LastError = "obsolete", EndedAt = Samples.Now,
        });
        var told = decision.Events.Should().ContainSingle().Subject;
        told.Type.Should().Be("task_cancelled");
        told.Message.Should().Be(message);
        told.MetadataOf("reason").Should().Be("obsolete");
    }

    [Fact]
    public void A_task_that_ended_is_not_called_off() =>
        Lives.Completed.Cancel("obsolete", Samples.Now).Refusal.Should().Be(new Refusal(
            RefusalCode.InvalidTransition, "task 'task-1' is completed: only a pending or inflight task can be cancelled"));

    [Fact]
    public void A_requeued_dead_letter_is_due_at_once_counted_anew_and_keeps_its_token_and_history()
    {
        var later = Samples.Now.AddHours(1);
        var dead = Lives.Failed with { Expiries = 2 };
        var decision = dead.Requeue(later).Value;

        decision.Next.Should().Be(dead with
        {
            Status = MeasurementTaskStatus.Pending,
            VisibleAt = later,
            Failures = 0,
            Expiries = 0,
            DeadLetterReason = string.Empty,
            EndedAt = null,
        });
        decision.Next.LeaseToken.Should().Be(Lives.Token);
        decision.Next.History.Should().NotBeEmpty();
        decision.Events.Should().ContainSingle().Which.Type.Should().Be("task_requeued");
    }

    [Fact]
    public void A_requeued_task_has_all_its_retries_again()
    {
        var again = Lives.Failed.Requeue(Samples.Now).Value.Next.DeliveredAt(Samples.Now);

        again.Nack(again.LeaseToken).Value.Next.Status.Should().Be(MeasurementTaskStatus.Pending);
        again.Acknowledge(Lives.Token, Samples.Now).Refusal!.Code.Should().Be(RefusalCode.LeaseLost);
    }

    [Fact]
    public void A_deleted_dead_letter_is_told_with_why_it_was_one()
    {
        var decision = Lives.Failed.Delete().Value;

        decision.Deletes.Should().BeTrue();
        decision.Next.Should().BeSameAs(Lives.Failed);
        var told = decision.Events.Should().ContainSingle().Subject;
        told.Type.Should().Be("task_deleted");
        told.Metadata.TakeLast(2).Should().Equal(("dead_letter_reason", "max_retries"), ("reason", "no route"));
    }

    [Fact]
    public void What_is_no_dead_letter_is_refused_by_its_status()
    {
        Lives.Inflight.Requeue(Samples.Now).Refusal.Should().Be(new Refusal(
            RefusalCode.InvalidTransition, "task 'task-1' is inflight: only a dead letter, a failed task, can be requeued"));
        Lives.Completed.Delete().Refusal.Should().Be(new Refusal(
            RefusalCode.InvalidTransition, "task 'task-1' is completed: only a dead letter, a failed task, can be deleted"));
    }
}
