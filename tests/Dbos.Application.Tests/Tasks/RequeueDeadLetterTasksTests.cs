using System.Globalization;
using Dbos.Domain.Tasks;

namespace Dbos.Application.Tests.Tasks;

public sealed class RequeueDeadLetterTasksTests : IDisposable
{
    private static readonly TaskFilter OfAgent = new("agent-1", string.Empty);
    private static readonly PageCursor Next = new(7, "task-100");
    private static readonly DeadLetterCount None = new(0, IsComplete: true);

    private readonly SubstitutedDbos dbos = new();

    [Fact]
    public async Task Those_named_are_requeued_and_those_that_are_no_dead_letters_are_told()
    {
        dbos.TaskAnswers["task-2"] = new Refusal(RefusalCode.InvalidTransition, "task 'task-2' is inflight");
        dbos.TaskAnswers["task-3"] = TaskNotFound.Refusal("task-3");

        var requeued = await Ask(new(["task-1", "task-2", "task-3"], TaskFilter.Any, All: false));

        requeued.Should().BeEquivalentTo(new Requeued(1, ["task-2", "task-3"], None));
        await dbos.Tasks.Received(1).Requeue(
            Arg.Is<IReadOnlyList<string>>(ids => ids.SequenceEqual(new[] { "task-1", "task-2", "task-3" })), dbos.Work.Origin, Arg.Any<CancellationToken>());
    }

    [Fact]
    public async Task One_that_is_named_twice_is_requeued_once_and_not_told_as_left()
    {
        (await Ask(new(["task-1", "task-1"], TaskFilter.Any, All: false))).Should().BeEquivalentTo(new Requeued(1, [], None));
        dbos.ShouldHaveWrittenOne<string>().Should().Be("task-1");
    }

    [Fact]
    public async Task All_that_match_are_requeued_in_slices()
    {
        DeadAre(OfAgent, string.Empty, new Page<MeasurementTask>([.. Enumerable.Range(1, 100).Select(Dead)], Next));
        DeadAre(OfAgent, Next.ToString(), new Page<MeasurementTask>([Dead(101)], null));

        (await Ask(new([], OfAgent, All: false))).Should().BeEquivalentTo(new Requeued(101, [], None));
        dbos.TaskWrites.Cast<IReadOnlyList<string>>().Select(ids => ids.Count).Should().Equal(100, 1);
    }

    [Theory]
    [InlineData(null, 10_000)]
    [InlineData(60_000, 10_000)]
    [InlineData(5_000, 4_500)]
    [InlineData(1_000, 750)]
    public async Task Shortly_before_the_deadline_it_stops_and_says_how_many_are_left(int? milliseconds, int stopsAfter)
    {
        // Pages without end, of which each takes a fiftieth of the time; with the fiftieth it could be late.
        dbos.Tasks.List(default, default!, default!, default).ReturnsForAnyArgs(_ =>
        {
            dbos.Clock.Advance(TimeSpan.FromMilliseconds(stopsAfter / 50.0));
            return new Page<MeasurementTask>([Dead(1)], Next);
        });
        dbos.Tasks.CountDeadLetters(OfAgent, Arg.Any<CancellationToken>()).Returns(new DeadLetterCount(7, IsComplete: false));

        var requeued = (await dbos.Ask(
            new RequeueDeadLetterTasks([], OfAgent, All: false),
            timeLeft: milliseconds is { } left ? TimeSpan.FromMilliseconds(left) : null)).Value;

        requeued.Should().BeEquivalentTo(new Requeued(49, [], new DeadLetterCount(7, IsComplete: false)));
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
        dbos.Tasks.List(MeasurementTaskStatus.Failed, filter, new PageRequest(100, token), Arg.Any<CancellationToken>()).Returns(page);

    private async Task<Requeued> Ask(RequeueDeadLetterTasks command) => (await dbos.Ask(command)).Value;
}
