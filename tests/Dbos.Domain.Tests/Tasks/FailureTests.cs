using System.Globalization;
using Dbos.Domain.Answers;
using Dbos.Domain.Tasks;

namespace Dbos.Domain.Tests.Tasks;

/// <summary>Deliveries that fail: how they are counted, kept in the history, and when there were too many.</summary>
public sealed class FailureTests
{
    private static readonly MeasurementTask Inflight = Lives.Inflight;

    [Theory]
    [InlineData(Lives.Token)]
    [InlineData(MeasurementTask.AnyLease)]
    public void A_failed_try_returns_the_task_to_the_queue_after_the_delay(long token)
    {
        var decision = Inflight.Nack(token).Value;

        decision.Next.Should().BeEquivalentTo(Inflight with
        {
            Status = MeasurementTaskStatus.Pending,
            VisibleAt = Samples.Now.AddSeconds(30),
            Failures = 1,
            LastError = "no route",
            History = [new TaskFailure(Lives.Token, Samples.Second, "nack", "no route")],
        });
        var told = decision.Events.Should().ContainSingle().Subject;
        told.Type.Should().Be("task_nacked");
        told.Message.Should().Be("task task-1 negatively acknowledged, returned to the queue");
        told.Metadata.TakeLast(3).Should().Equal(("failure_count", "1"), ("max_retries", "3"), ("reason", "no route"));
    }

    [Fact]
    public void A_lease_that_expires_returns_the_task_at_once()
    {
        var decision = Inflight.ExpireLease(Inflight.VisibleAt);

        decision.Next.Should().BeEquivalentTo(Inflight with
        {
            Status = MeasurementTaskStatus.Pending,
            VisibleAt = Samples.Now,
            Expiries = 1,
            LastError = "lease 3 expired",
            History = [new TaskFailure(Lives.Token, Samples.Second + 300, "lease_expired", "lease 3 expired")],
        });
        var told = decision.Events.Should().ContainSingle().Subject;
        told.Type.Should().Be("task_lease_expired");
        told.Message.Should().Be("task task-1 lease expired, returned to the queue");
        told.Metadata.TakeLast(3).Should().Equal(("expiry_count", "1"), ("max_expiries", "5"), ("reason", "lease 3 expired"));
    }

    [Theory]
    [InlineData(2, 5, MeasurementTaskStatus.Pending)]
    [InlineData(3, 0, MeasurementTaskStatus.Failed)]
    public void Failures_have_a_limit_of_their_own(int failures, int expiries, MeasurementTaskStatus after) =>
        Counted(failures, expiries).Nack(Lives.Token).Value.Next.Status.Should().Be(after);

    [Theory]
    [InlineData(3, 4, MeasurementTaskStatus.Pending)]
    [InlineData(0, 5, MeasurementTaskStatus.Failed)]
    public void Expiries_have_a_limit_of_their_own(int failures, int expiries, MeasurementTaskStatus after) =>
        Counted(failures, expiries).ExpireLease(Inflight.VisibleAt).Next.Status.Should().Be(after);

    [Fact]
    public void What_old_callers_read_as_retries_is_all_that_failed() => Counted(2, 3).RetryCount.Should().Be(5);

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 2)]
    [InlineData(2, 4)]
    [InlineData(30, 4)]
    public void The_delay_is_the_one_for_the_failures_so_far_and_this_one_and_the_last_one_for_all_that_follow(int failures, int seconds)
    {
        TimeSpan[] delays = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(4)];

        Counted(failures, 3).NegativelyAcknowledge(Lives.Token, delays, string.Empty, Samples.Now).Value.Next.VisibleAt
            .Should().Be(Samples.Now.AddSeconds(seconds));
    }

    [Fact]
    public void A_nack_is_recognized_by_its_token_as_long_as_the_history_keeps_it()
    {
        var first = Inflight.Nack(Lives.Token).Value.Next;
        var deliveredAgain = first.DeliveredAt(first.VisibleAt);
        var completed = deliveredAgain.Acknowledge(deliveredAgain.LeaseToken, Samples.Now).Value.Next;

        first.Nack(Lives.Token).Value.ShouldBeReplayOf(first);
        deliveredAgain.Nack(Lives.Token).Value.ShouldBeReplayOf(deliveredAgain);
        completed.Nack(Lives.Token).Value.ShouldBeReplayOf(completed);
        (first with { History = [] }).Nack(Lives.Token).Refusal!.Code.Should().Be(RefusalCode.LeaseLost);
    }

    [Fact]
    public void A_lease_that_expired_makes_no_replay_of_a_nack() =>
        Inflight.ExpireLease(Inflight.VisibleAt).Next.Nack(Lives.Token).Refusal!.Code.Should().Be(RefusalCode.LeaseLost);

    public static TheoryData<Decision<MeasurementTask>, string, string> DeadLetters => new()
    {
        { Counted(3, 1).Nack(Lives.Token).Value, "task_nacked", "max_retries" },
        { Counted(1, 5).ExpireLease(Inflight.VisibleAt), "task_lease_expired", "max_expiries" },
    };

    [Theory]
    [MemberData(nameof(DeadLetters))]
    public void A_dead_letter_keeps_why_it_is_one_and_is_told(Decision<MeasurementTask> decision, string failure, string reason)
    {
        var dead = decision.Next;

        dead.DeadLetterReason.Should().Be(reason);
        dead.LastError.Should().NotBeEmpty();
        dead.History.Should().ContainSingle().Which.Error.Should().Be(dead.LastError);
        dead.EndedAt.Should().Be(DateTimeOffset.FromUnixTimeSeconds(dead.History[0].FailedAt));
        decision.Events.Select(told => told.Type).Should().Equal(failure, "task_dead_lettered");
        decision.Events[1].Message.Should().Be($"task task-1 moved to the dead-letter queue: {reason} exceeded");
        decision.Events.Should().OnlyContain(told => told.MetadataOf("reason") == dead.LastError);
    }

    [Fact]
    public void The_history_is_of_the_latest_twenty_failures_oldest_first()
    {
        var task = Lives.Pending with { Retry = new RetryPolicy(100, 100) };
        for (var i = 1; i <= 25; i++)
        {
            task = task.DeliveredAt(task.VisibleAt).Nack(MeasurementTask.AnyLease, $"error {i.ToString(CultureInfo.InvariantCulture)}").Value.Next;
        }

        task.History.Select(failure => failure.LeaseToken).Should().Equal(Enumerable.Range(6, 20).Select(token => (long)token));
        task.History[0].Error.Should().Be("error 6");
        task.History[^1].Error.Should().Be("error 25");
        task.Failures.Should().Be(25);
    }

    [Theory]
    [InlineData("", 256)]
    [InlineData("\U0001F6F0", 255)]
    public void The_history_keeps_errors_cut_short_but_not_inside_a_character(string character, int kept)
    {
        var error = $"{new string('x', 255)}{character}{new string('x', 255)}";
        var task = Inflight.Nack(Lives.Token, error).Value.Next;

        task.History[0].Error.Should().Be(new string('x', kept));
        task.LastError.Should().Be(error);
    }

    private static MeasurementTask Counted(int failures, int expiries) => Inflight with { Failures = failures, Expiries = expiries };
}
