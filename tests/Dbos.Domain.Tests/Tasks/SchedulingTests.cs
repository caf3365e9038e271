using Dbos.Domain.Tasks;

namespace Dbos.Domain.Tests.Tasks;

public sealed class SchedulingTests
{
    [Fact]
    public void A_scheduled_task_is_pending_until_it_is_visible()
    {
        var decision = MeasurementTask.Schedule(null, Samples.Task with { Status = MeasurementTaskStatus.Completed });

        decision.IsReplay.Should().BeFalse();
        decision.Next.Should().Be(Samples.Task with { Status = MeasurementTaskStatus.Pending });
        var told = decision.Events.Should().ContainSingle().Subject;
        told.Type.Should().Be("task_scheduled");
        told.Message.Should().Be("task task-1 scheduled");
        told.Metadata.Should().Equal(
            ("task_id", "task-1"), ("agent_id", "agent-1"), ("module_name", "ping"), ("lease_token", "0"), ("visible_at", "1700000000"));
    }

    public static TheoryData<MeasurementTask, bool> Others => new()
    {
        { Lives.Completed, true },
        { Samples.Task with { Payload = new byte[] { 1, 2 }, CreatedAt = 1, LastError = "x", Failures = 2, Expiries = 1 }, true },
        { Samples.Task with { AgentId = "agent-2" }, false },
        { Samples.Task with { ModuleName = "traceroute" }, false },
        { Samples.Task with { ScheduledAt = 1 }, false },
        { Samples.Task with { Retry = Samples.Task.Retry with { MaxRetries = 4 } }, false },
        { Samples.Task with { Retry = Samples.Task.Retry with { MaxExpiries = 4 } }, false },
        { Samples.Task with { Priority = 1 }, false },
    };

    [Theory]
    [MemberData(nameof(Others))]
    public void A_task_but_for_its_payload_is_the_same_by_what_its_scheduler_told(MeasurementTask other, bool same) =>
        Samples.Task.SaysTheSameAs(other, comparesTime: true).Should().Be(same);

    [Fact]
    public void The_time_is_no_part_of_what_a_caller_asked_for_who_left_it_to_DBOS() =>
        Samples.Task.SaysTheSameAs(Samples.Task with { ScheduledAt = 1 }, comparesTime: false).Should().BeTrue();

    [Fact]
    public void The_statuses_are_spelled_as_on_the_wire() =>
        MeasurementTaskStatusWords.All.Should().Equal("pending", "inflight", "completed", "failed", "cancelled");

    [Theory]
    [InlineData("cancelled", MeasurementTaskStatus.Cancelled)]
    [InlineData("Pending", null)]
    [InlineData("", null)]
    public void Another_spelling_is_no_status(string word, MeasurementTaskStatus? status) =>
        MeasurementTaskStatusWords.Parse(word).Should().Be(status);
}
