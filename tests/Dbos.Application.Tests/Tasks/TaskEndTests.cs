namespace Dbos.Application.Tests.Tasks;

/// <summary>Tasks that are called off or deleted, whoever holds them.</summary>
public sealed class TaskEndTests : IDisposable
{
    private readonly SubstitutedDbos dbos = new();

    [Fact]
    public async Task A_task_is_cancelled_for_the_reason_that_the_caller_gave()
    {
        (await dbos.Ask(new CancelTask("task-1", "obsolete"))).Value.Duplicate.Should().BeFalse();

        dbos.ShouldHaveWrittenOne<Cancellation>().Should().Be(new Cancellation("task-1", "obsolete", dbos.Work));
    }

    [Fact]
    public async Task A_dead_letter_is_deleted_by_its_id()
    {
        (await dbos.Ask(new DeleteDeadLetterTask("task-1"))).IsRefused.Should().BeFalse();

        await dbos.Tasks.Received(1).DeleteDeadLetter("task-1", dbos.Work, Arg.Any<CancellationToken>());
    }

    [Fact]
    public async Task What_the_life_of_the_task_does_not_allow_is_refused_in_the_repositorys_words_and_told()
    {
        var refusal = new Refusal(RefusalCode.InvalidTransition, "task 'task-1' is completed");
        dbos.TaskAnswers["task-1"] = refusal;

        (await dbos.Ask(new CancelTask("task-1", string.Empty))).Refusal.Should().Be(refusal);
        (await dbos.Ask(new DeleteDeadLetterTask("task-1"))).Refusal.Should().Be(refusal);
        dbos.Told.Select(told => told.Event.Type).Should().Equal("task_cancel_error", "task_delete_error");
    }

    public void Dispose() => dbos.Dispose();
}
