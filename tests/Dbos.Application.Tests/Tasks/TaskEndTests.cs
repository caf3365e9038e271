using Dbos.Domain.Tasks;

namespace Dbos.Application.Tests.Tasks;

/// <summary>Tasks that are called off or deleted, whoever holds them.</summary>
public sealed class TaskEndTests : IDisposable
{
    private readonly SubstitutedDbos dbos = new();

    [Fact]
    public async Task A_cancelled_task_is_saved_with_the_reason()
    {
        TaskIs(Samples.Inflight);
        dbos.Clock.Advance(TimeSpan.FromSeconds(2));

        (await dbos.Ask(new CancelTask("task-1", "obsolete"))).Value.Should().Be(new Written(3, Duplicate: false));
        dbos.ShouldHaveSavedOneTask().Should().Be(Samples.Inflight.Cancel("obsolete", Samples.Now.AddSeconds(2)).Value.Next);
    }

    [Fact]
    public async Task A_cancellation_that_an_acknowledgement_overtook_is_refused()
    {
        TaskIs(Samples.Inflight);
        dbos.NextSaves["task-1"] = new Saved<MeasurementTask>.Conflict(Samples.Inflight.Acknowledge(1, Samples.Now).Value.Next);

        (await dbos.Ask(new CancelTask("task-1", string.Empty))).Refusal!.Code.Should().Be(RefusalCode.InvalidTransition);
        dbos.Told.Should().ContainSingle().Which.Event.Type.Should().Be("task_cancel_error");
    }

    [Fact]
    public async Task A_deleted_dead_letter_goes_for_good()
    {
        TaskIs(Samples.Dead);

        (await dbos.Ask(new DeleteDeadLetterTask("task-1"))).IsRefused.Should().BeFalse();
        dbos.TaskCommits.Single().Single().Deletes.Should().BeTrue();
        dbos.Work.Events.Should().ContainSingle().Which.Type.Should().Be("task_deleted");
    }

    [Fact]
    public async Task What_is_no_dead_letter_is_not_deleted()
    {
        TaskIs(Samples.Inflight);

        (await dbos.Ask(new DeleteDeadLetterTask("task-1"))).Refusal!.Code.Should().Be(RefusalCode.InvalidTransition);
        dbos.TaskCommits.Should().BeEmpty();
    }

    public void Dispose() => dbos.Dispose();

    private void TaskIs(MeasurementTask task) => dbos.Tasks.FindBare("task-1", Arg.Any<CancellationToken>()).Returns(task);
}
