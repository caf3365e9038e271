using System.Globalization;
using Dbos.Domain.Tasks;

namespace Dbos.Application.Tests.Tasks;

public sealed class RequeueDeadLetterTasksTests : IDisposable
{
    private static readonly TaskFilter OfAgent = new("agent-1", string.Empty);

    private readonly SubstitutedDbos dbos = new();

    [Fact]
    public async Task Those_named_are_requeued_and_those_that_are_no_dead_letters_are_told()
    {
        dbos.TaskAnswers["task-2"] = new Refusal(RefusalCode.InvalidTransition, "task 'task-2' is inflight");
        dbos.TaskAnswers["task-3"] = TaskNotFound.Refusal("task-3");

        var requeued = await Ask(new(["task-1", "task-2", "task-3"], TaskFilter.Any, All: false));

        requeued.Should().BeEquivalentTo(new Requeued(1, ["task-2", "task-3"]));
        await dbos.Tasks.Received(1).Requeue(
            Arg.Is<IReadOnlyList<string>>(ids => ids.SequenceEqual(new[] { "task-1", "task-2", "task-3" })), dbos.Work.Origin, Arg.Any<CancellationToken>());
    }

    [Fact]
    public async Task One_that_is_named_twice_is_requeued_once_and_not_told_as_left()
    {
        (await Ask(new(["task-1", "task-1"], TaskFilter.Any, All: false))).Should().BeEquivalentTo(new Requeued(1, []));
        dbos.ShouldHaveWrittenOne<string>().Should().Be("task-1");
    }

    [Fact]
    public async Task All_that_match_are_requeued_in_slices()
    {
        var next = new PageCursor(7, "task-500");
        DeadAre(OfAgent, string.Empty, new Page<MeasurementTask>([.. Enumerable.Range(1, 500).Select(Dead)], next));
        DeadAre(OfAgent, next.ToString(), new Page<MeasurementTask>([Dead(501)], null));

        (await Ask(new([], OfAgent, All: false))).Should().BeEquivalentTo(new Requeued(501, []));
        dbos.TaskWrites.Cast<IReadOnlyList<string>>().Select(ids => ids.Count).Should().Equal(500, 1);
    }

    [Fact]
    public async Task All_there_are_means_anybodys()
    {
        DeadAre(TaskFilter.Any, string.Empty, new Page<MeasurementTask>([Dead(1)], null));

        (await Ask(new([], TaskFilter.Any, All: true))).Count.Should().Be(1);
    }

    [Fact]
    public async Task What_another_call_requeued_or_deleted_meanwhile_is_not_counted()
    {
        DeadAre(OfAgent, string.Empty, new Page<MeasurementTask>([Dead(1), Dead(2), Dead(3)], null));
        dbos.TaskAnswers["task-1"] = new Refusal(RefusalCode.InvalidTransition, "task 'task-1' is pending");
        dbos.TaskAnswers["task-2"] = TaskNotFound.Refusal("task-2");

        (await Ask(new([], OfAgent, All: false))).Count.Should().Be(1);
    }

    public void Dispose() => dbos.Dispose();

    private static MeasurementTask Dead(int number) =>
        Samples.Dead with { Id = string.Create(CultureInfo.InvariantCulture, $"task-{number}") };

    private void DeadAre(TaskFilter filter, string token, Page<MeasurementTask> page) =>
        dbos.Tasks.List(MeasurementTaskStatus.Failed, filter, new PageRequest(500, token), Arg.Any<CancellationToken>()).Returns(page);

    private async Task<Requeued> Ask(RequeueDeadLetterTasks command) => (await dbos.Ask(command)).Value;
}
