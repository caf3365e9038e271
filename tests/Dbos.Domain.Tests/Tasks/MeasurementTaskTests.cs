using Dbos.Domain.Answers;
using Dbos.Domain.Tasks;

namespace Dbos.Domain.Tests.Tasks;

public sealed class MeasurementTaskTests
{
    private const long Unnamed = MeasurementTask.AnyLease;
    private static readonly MeasurementTask Pending = MeasurementTask.Schedule(null, Samples.Task).Next;
    private static readonly MeasurementTask Inflight = Pending.DeliveredAt(Samples.Now) with { LeaseToken = 3 };
    private static readonly MeasurementTask Completed = Inflight.Acknowledge(3).Value.Next;
    private static readonly MeasurementTask Failed = Inflight with { Status = MeasurementTaskStatus.Failed };

    [Fact]
    public void A_scheduled_task_is_pending_until_it_is_visible()
    {
        var decision = MeasurementTask.Schedule(null, Samples.Task with { Status = MeasurementTaskStatus.Completed });

        decision.IsReplay.Should().BeFalse();
        decision.Next.Should().Be(Samples.Task with { Status = MeasurementTaskStatus.Pending, Version = 1 });
        var told = decision.Events.Should().ContainSingle().Subject;
        told.Type.Should().Be("task_scheduled");
        told.Message.Should().Be("task task-1 scheduled");
        told.Metadata.Should().Equal(
            ("task_id", "task-1"), ("agent_id", "agent-1"), ("module_name", "ping"), ("lease_token", "0"), ("visible_at", "1700000000"));
    }

    [Fact]
    public void A_task_that_exists_is_not_scheduled_again() =>
        ShouldBeReplayOf(Completed, MeasurementTask.Schedule(Completed, Samples.Task));

    [Theory]
    [InlineData(3)]
    [InlineData(Unnamed)]
    public void Its_holder_completes_a_task_with_its_token_or_without_any(long token)
    {
        var decision = Inflight.Acknowledge(token).Value;

        decision.Next.Should().Be(Inflight with { Status = MeasurementTaskStatus.Completed, Version = 3 });
        var told = decision.Events.Should().ContainSingle().Subject;
        told.Type.Should().Be("task_acknowledged");
        told.Message.Should().Be("task task-1 completed");
        told.MetadataOf("lease_token").Should().Be("3");
    }

    [Theory]
    [InlineData(3)]
    [InlineData(Unnamed)]
    public void Acknowledging_twice_is_a_replay(long token) => ShouldBeReplayOf(Completed, Completed.Acknowledge(token).Value);

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void A_lease_that_is_not_the_latest_can_neither_complete_nor_return_the_task(long token)
    {
        var lost = new Refusal(
            RefusalCode.LeaseLost, $"lease {token} of task 'task-1' is lost: the task is inflight, its latest delivery is 3");

        Inflight.Acknowledge(token).Refusal.Should().Be(lost);
        Nack(Inflight, token).Refusal.Should().Be(lost);
    }

    [Fact]
    public void A_lease_that_ended_is_lost()
    {
        var returned = Nack(Inflight, 3).Value.Next;

        returned.Acknowledge(3).Refusal!.Sentence.Should().Be(
            "lease 3 of task 'task-1' is lost: the task is pending, its latest delivery is 3");
        Nack(returned, 3).Refusal!.Code.Should().Be(RefusalCode.LeaseLost);
        Failed.Acknowledge(3).Refusal!.Code.Should().Be(RefusalCode.LeaseLost);
        Completed.Acknowledge(2).Refusal!.Code.Should().Be(RefusalCode.LeaseLost);
    }

    public static TheoryData<MeasurementTask> NotCompletable => [Pending, Failed];

    [Theory]
    [MemberData(nameof(NotCompletable))]
    public void Only_an_inflight_task_is_acknowledged(MeasurementTask task) =>
        task.Acknowledge(Unnamed).Refusal.Should().Be(new Refusal(
            RefusalCode.InvalidTransition, $"task 'task-1' is {task.Status.Word()}: only an inflight task can be acknowledged"));

    public static TheoryData<MeasurementTask> NotReturnable => [Pending, Completed, Failed];

    [Theory]
    [MemberData(nameof(NotReturnable))]
    public void Only_an_inflight_task_is_negatively_acknowledged(MeasurementTask task) =>
        Nack(task, Unnamed).Refusal.Should().Be(new Refusal(
            RefusalCode.InvalidTransition, $"task 'task-1' is {task.Status.Word()}: only an inflight task can be negatively acknowledged"));

    [Theory]
    [InlineData(3)]
    [InlineData(Unnamed)]
    public void A_failed_try_returns_the_task_to_the_queue_after_the_delay(long token)
    {
        var decision = Nack(Inflight, token).Value;

        decision.Next.Should().Be(Inflight with
        {
            Status = MeasurementTaskStatus.Pending,
            VisibleAt = Samples.Now.AddSeconds(30),
            RetryCount = 1,
            LastError = "no route",
            Version = 3,
        });
        var told = decision.Events.Should().ContainSingle().Subject;
        told.Type.Should().Be("task_nacked");
        told.Message.Should().Be("task task-1 negatively acknowledged, returned to the queue");
        told.Metadata.TakeLast(3).Should().Equal(("retry_count", "1"), ("max_retries", "3"), ("reason", "no route"));
    }

    [Theory]
    [InlineData(2, MeasurementTaskStatus.Pending)]
    [InlineData(3, MeasurementTaskStatus.Failed)]
    public void A_task_is_retried_just_as_often_as_allowed(int retriesBefore, MeasurementTaskStatus after)
    {
        var task = Inflight with { RetryCount = retriesBefore };

        Nack(task, 3).Value.Next.Status.Should().Be(after);
        task.ExpireLease(task.VisibleAt).Next.Status.Should().Be(after);
    }

    [Fact]
    public void A_task_out_of_retries_is_told_to_be_in_the_dead_letter_queue()
    {
        var decision = Nack(Inflight with { RetryCount = 3 }, 3).Value;

        decision.Next.RetryCount.Should().Be(4);
        decision.Events.Select(told => (told.Type, told.Message)).Should().Equal(
            ("task_nacked", "task task-1 negatively acknowledged"),
            ("task_dead_lettered", "task task-1 moved to the dead-letter queue"));
        decision.Events.Should().OnlyContain(told => told.MetadataOf("reason") == "no route");
    }

    [Fact]
    public void A_lease_that_expires_returns_the_task_at_once()
    {
        var decision = Inflight.ExpireLease(Inflight.VisibleAt);

        decision.Next.Should().Be(Inflight with
        {
            Status = MeasurementTaskStatus.Pending, RetryCount = 1, LastError = "lease 3 expired", Version = 3,
        });
        var told = decision.Events.Should().ContainSingle().Subject;
        told.Type.Should().Be("task_lease_expired");
        told.Message.Should().Be("task task-1 lease expired, returned to the queue");
    }

    [Fact]
    public void A_lease_does_not_expire_before_its_time() =>
        ShouldBeReplayOf(Inflight, Inflight.ExpireLease(Inflight.VisibleAt - TimeSpan.FromTicks(1)));

    [Theory]
    [MemberData(nameof(NotReturnable))]
    public void A_task_that_nobody_holds_does_not_expire(MeasurementTask task) =>
        ShouldBeReplayOf(task, task.ExpireLease(Samples.Now.AddYears(1)));

    public static TheoryData<MeasurementTask, bool> Others => new()
    {
        { Completed, true },
        { Samples.Task with { Payload = new byte[] { 1, 2, 3 }, CreatedAt = 1, LastError = "x", RetryCount = 2 }, true },
        { Samples.Task with { AgentId = "agent-2" }, false },
        { Samples.Task with { ModuleName = "traceroute" }, false },
        { Samples.Task with { ScheduledAt = 1 }, false },
        { Samples.Task with { MaxRetries = 4 }, false },
        { Samples.Task with { Payload = new byte[] { 1, 2 } }, false },
    };

    [Theory]
    [MemberData(nameof(Others))]
    public void A_task_is_the_same_by_what_its_scheduler_told(MeasurementTask other, bool same) =>
        Samples.Task.SaysTheSameAs(other).Should().Be(same);

    [Fact]
    public void The_statuses_are_spelled_as_on_the_wire() =>
        MeasurementTaskStatusWords.All.Should().Equal("pending", "inflight", "completed", "failed");

    private static Answer<Decision<MeasurementTask>> Nack(MeasurementTask task, long token) =>
        task.NegativelyAcknowledge(token, TimeSpan.FromSeconds(30), "no route", Samples.Now);

    private static void ShouldBeReplayOf(MeasurementTask task, Decision<MeasurementTask> decision)
    {
        decision.IsReplay.Should().BeTrue();
        decision.Next.Should().BeSameAs(task);
        decision.Events.Should().BeEmpty();
    }
}
