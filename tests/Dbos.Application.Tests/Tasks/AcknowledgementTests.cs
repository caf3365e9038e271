using Dbos.Domain.Tasks;

namespace Dbos.Application.Tests.Tasks;

/// <summary>What the holder of a delivery says.</summary>
public sealed class AcknowledgementTests : IDisposable
{
    private readonly SubstitutedDbos dbos = new();

    public AcknowledgementTests() => TaskIs(Samples.Inflight);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task An_acknowledged_task_is_saved_as_completed_now(long token)
    {
        dbos.Clock.Advance(TimeSpan.FromSeconds(2));

        (await dbos.Ask(new AckTask("task-1", token))).Value.Should().Be(new Written(3, Duplicate: false));
        dbos.ShouldHaveSavedOneTask().Should().Be(Samples.Inflight with
        {
            Status = MeasurementTaskStatus.Completed, EndedAt = Samples.Now.AddSeconds(2), Version = 3,
        });
    }

    [Fact]
    public async Task A_negatively_acknowledged_task_returns_after_the_delay_with_the_reason()
    {
        dbos.Clock.Advance(TimeSpan.FromSeconds(2));

        (await Nack(delay: 30)).Value.Should().Be(new Written(3, Duplicate: false));
        dbos.ShouldHaveSavedOneTask().Should().BeEquivalentTo(Samples.Inflight with
        {
            Status = MeasurementTaskStatus.Pending,
            VisibleAt = Samples.Now.AddSeconds(32),
            Failures = 1,
            LastError = "no route",
            History = [new TaskFailure(1, Samples.Second + 2, "nack", "no route")],
            Version = 3,
        });
    }

    [Theory]
    [InlineData(0, 5, 10)]
    [InlineData(1, 10, 20)]
    [InlineData(9, 150, 300)]
    public async Task Without_a_delay_a_task_rests_as_long_as_the_policys_backoff_says(int failures, int least, int most)
    {
        TaskIs(Samples.Inflight with { Failures = failures, Retry = new RetryPolicy(100, 100) });
        await Nack();

        dbos.ShouldHaveSavedOneTask().VisibleAt.Should().BeOnOrAfter(Samples.Now.AddSeconds(least)).And.BeOnOrBefore(Samples.Now.AddSeconds(most));
    }

    [Fact]
    public async Task A_task_returns_at_once_if_its_holder_says_so()
    {
        await Nack(atOnce: true);

        dbos.ShouldHaveSavedOneTask().VisibleAt.Should().Be(Samples.Now);
    }

    [Theory]
    [InlineData(0, 300)]
    [InlineData(3_600, 3_600)]
    public async Task A_lease_is_extended_from_now_for_the_policys_duration_or_as_asked(long asked, int seconds)
    {
        dbos.Clock.Advance(TimeSpan.FromMinutes(2));

        (await dbos.Ask(new ExtendTaskLease("task-1", 1, asked))).Value.Should().Be(new Written(3, Duplicate: false));
        dbos.ShouldHaveSavedOneTask().VisibleAt.Should().Be(Samples.Now.AddMinutes(2).AddSeconds(seconds));
    }

    [Fact]
    public async Task A_lease_that_lasts_longer_already_is_answered_and_not_saved()
    {
        (await dbos.Ask(new ExtendTaskLease("task-1", 1, 60))).Value.Should().Be(new Written(2, Duplicate: true));
        dbos.TaskCommits.Should().BeEmpty();
    }

    [Fact]
    public async Task A_stale_lease_is_refused()
    {
        var refused = new[]
        {
            await dbos.Ask(new AckTask("task-1", 2)), await Nack(token: 2), await dbos.Ask(new ExtendTaskLease("task-1", 2, 0)),
        };

        refused.Should().OnlyContain(answer => answer.Refusal!.Code == RefusalCode.LeaseLost);
        dbos.Told.Select(told => told.Event.Type).Should().Equal("task_ack_error", "task_nack_error", "task_extend_error");
    }

    [Fact]
    public async Task Whoever_is_slower_than_a_cancellation_is_told_of_it()
    {
        dbos.NextSaves["task-1"] = new Saved<MeasurementTask>.Conflict(
            Samples.Inflight with { Status = MeasurementTaskStatus.Cancelled, Version = 3 });

        (await dbos.Ask(new AckTask("task-1", 1))).Refusal!.Code.Should().Be(RefusalCode.TaskCancelled);
    }

    public void Dispose() => dbos.Dispose();

    private void TaskIs(MeasurementTask task) => dbos.Tasks.FindBare("task-1", Arg.Any<CancellationToken>()).Returns(task);

    private Task<Answer<Written>> Nack(long delay = 0, bool atOnce = false, long token = 1) =>
        dbos.Ask(new NackTask("task-1", delay, atOnce, token, "no route"));
}
