namespace Dbos.Application.Tests.Tasks;

/// <summary>What the holder of a delivery says.</summary>
public sealed class AcknowledgementTests : IDisposable
{
    private readonly SubstitutedDbos dbos = new();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_task_is_acknowledged_with_the_callers_token_or_without_any(long token)
    {
        (await dbos.Ask(new AckTask("task-1", token))).Value.Should().Be(new Written(0, Duplicate: false));

        dbos.ShouldHaveWrittenOne<Acknowledgement>().Should().Be(new Acknowledgement("task-1", token, dbos.Work));
    }

    [Fact]
    public async Task A_negatively_acknowledged_task_returns_after_the_delay_with_the_reason()
    {
        (await Nack(delay: 30)).Value.Should().Be(new Written(0, Duplicate: false));

        dbos.ShouldHaveWrittenOne<NegativeAcknowledgement>().Should().BeEquivalentTo(
            new NegativeAcknowledgement("task-1", 1, [TimeSpan.FromSeconds(30)], "no route", dbos.Work));
    }

    [Theory]
    [InlineData(1, 5, 10)]
    [InlineData(2, 10, 20)]
    [InlineData(9, 150, 300)]
    public async Task Without_a_delay_a_task_rests_as_long_as_the_policys_backoff_says(int failures, int least, int most)
    {
        await Nack();

        var delays = dbos.ShouldHaveWrittenOne<NegativeAcknowledgement>().Delays;
        delays[Math.Min(failures, delays.Count) - 1].TotalSeconds.Should().BeInRange(least, most);
    }

    [Fact]
    public async Task A_task_returns_at_once_if_its_holder_says_so()
    {
        await Nack(atOnce: true);

        dbos.ShouldHaveWrittenOne<NegativeAcknowledgement>().Delays.Should().Equal(TimeSpan.Zero);
    }

    [Theory]
    [InlineData(0, 300)]
    [InlineData(3_600, 3_600)]
    public async Task A_lease_is_extended_for_the_policys_duration_or_as_asked(long asked, int seconds)
    {
        (await dbos.Ask(new ExtendTaskLease("task-1", 1, asked))).Value.Should().Be(new Written(0, Duplicate: false));

        dbos.ShouldHaveWrittenOne<LeaseExtension>().Should().Be(new LeaseExtension("task-1", 1, TimeSpan.FromSeconds(seconds), dbos.Work));
    }

    [Fact]
    public async Task A_replay_is_answered_as_the_repository_found_it_and_is_no_event()
    {
        dbos.TaskAnswers["task-1"] = new Written(0, Duplicate: true);

        (await dbos.Ask(new AckTask("task-1", 1))).Value.Duplicate.Should().BeTrue();
        (await Nack()).Value.Duplicate.Should().BeTrue();
        (await dbos.Ask(new ExtendTaskLease("task-1", 1, 60))).Value.Duplicate.Should().BeTrue();
        dbos.Told.Should().BeEmpty();
    }

    [Theory]
    [InlineData(RefusalCode.LeaseLost)]
    [InlineData(RefusalCode.TaskCancelled)]
    public async Task A_refusal_of_the_repository_is_answered_and_told(RefusalCode code)
    {
        var refusal = new Refusal(code, "task 'task-1' is held by nobody");
        dbos.TaskAnswers["task-1"] = refusal;

        var refused = new[]
        {
            await dbos.Ask(new AckTask("task-1", 2)), await Nack(token: 2), await dbos.Ask(new ExtendTaskLease("task-1", 2, 0)),
        };

        refused.Select(answer => answer.Refusal).Should().AllBeEquivalentTo(refusal);
        dbos.Told.Select(told => told.Event.Type).Should().Equal("task_ack_error", "task_nack_error", "task_extend_error");
    }

    public void Dispose() => dbos.Dispose();

    private Task<Answer<Written>> Nack(long delay = 0, bool atOnce = false, long token = 1) =>
        dbos.Ask(new NackTask("task-1", delay, atOnce, token, "no route"));
}
