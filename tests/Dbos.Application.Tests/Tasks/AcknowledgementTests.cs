using Dbos.Domain.Tasks;

namespace Dbos.Application.Tests.Tasks;

public sealed class AcknowledgementTests : IDisposable
{
    private readonly SubstitutedDbos dbos = new();

    public AcknowledgementTests() => dbos.Tasks.Find("task-1", Arg.Any<CancellationToken>()).Returns(Samples.Inflight);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task An_acknowledged_task_is_saved_as_completed(long token)
    {
        (await dbos.Ask(new AckTask("task-1", token))).Value.Should().Be(new Written(3, Duplicate: false));

        ShouldHaveSaved(Samples.Inflight with { Status = MeasurementTaskStatus.Completed, Version = 3 });
    }

    [Fact]
    public async Task A_negatively_acknowledged_task_returns_after_the_delay_with_the_reason()
    {
        dbos.Clock.Advance(TimeSpan.FromSeconds(2));

        (await dbos.Ask(new NackTask("task-1", 30, 1, "no route"))).Value.Should().Be(new Written(3, Duplicate: false));

        ShouldHaveSaved(Samples.Inflight with
        {
            Status = MeasurementTaskStatus.Pending, VisibleAt = Samples.Now.AddSeconds(32), RetryCount = 1, LastError = "no route", Version = 3,
        });
    }

    [Fact]
    public async Task A_stale_lease_is_refused()
    {
        var refused = new[] { await dbos.Ask(new AckTask("task-1", 2)), await dbos.Ask(new NackTask("task-1", 0, 2, string.Empty)) };

        refused.Should().OnlyContain(answer => answer.Refusal!.Code == RefusalCode.LeaseLost);
        dbos.Told.Select(told => told.Event.Type).Should().Equal("task_ack_error", "task_nack_error");
    }

    [Fact]
    public async Task A_task_is_read_by_its_id() => (await dbos.Ask(new GetTask("task-1"))).Value.Should().Be(Samples.Inflight);

    public void Dispose() => dbos.Dispose();

    private void ShouldHaveSaved(MeasurementTask task) => dbos.Tasks.Received(1).Save(task, dbos.Work, Arg.Any<CancellationToken>());
}
