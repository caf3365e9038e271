using Dbos.Domain.Tasks;

namespace Dbos.Application.Tests.Tasks;

/// <summary>Looking at the queue changes nothing.</summary>
public sealed class QueueReadTests : IDisposable
{
    private static readonly TaskFilter Filter = new("agent-1", "ping");
    private static readonly PageRequest Request = new(10, string.Empty);
    private static readonly Page<MeasurementTask> Page = new([Samples.Dead], new PageCursor(7, "task-1"));

    private readonly SubstitutedDbos dbos = new();

    public QueueReadTests() =>
        dbos.Tasks.List(MeasurementTaskStatus.Failed, Filter, Request, Arg.Any<CancellationToken>()).Returns(Page);

    [Fact]
    public async Task A_task_is_read_by_its_id()
    {
        dbos.Tasks.Find("task-1", Arg.Any<CancellationToken>()).Returns(Samples.Inflight);

        (await dbos.Ask(new GetTask("task-1"))).Value.Should().BeSameAs(Samples.Inflight);
    }

    [Fact]
    public async Task Dead_letters_are_the_failed_tasks_that_match() =>
        (await dbos.Ask(new ListDeadLetterTasks(Filter, Request))).Value.Should().BeSameAs(Page);

    [Fact]
    public async Task Tasks_are_listed_by_the_word_of_their_status() =>
        (await dbos.Ask(new ListTasks("failed", Filter, Request))).Value.Should().BeSameAs(Page);

    [Fact]
    public async Task Tasks_of_every_status_are_listed_where_none_is_named()
    {
        await dbos.Ask(new ListTasks(string.Empty, Filter, Request));

        await dbos.Tasks.Received(1).List(null, Filter, Request, Arg.Any<CancellationToken>());
    }

    [Fact]
    public async Task The_figures_are_the_repositorys()
    {
        var stats = new QueueStats(
            new Dictionary<MeasurementTaskStatus, long> { [MeasurementTaskStatus.Pending] = 3 }, TimeSpan.FromSeconds(4), 1, 2, 3, new Dictionary<string, long>());
        dbos.Tasks.Stats(Arg.Any<CancellationToken>()).Returns(stats);

        (await dbos.Ask(new GetQueueStats())).Value.Should().BeSameAs(stats);
    }

    public void Dispose() => dbos.Dispose();
}
