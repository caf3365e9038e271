using Dbos.Domain.Tasks;

namespace Dbos.Application.Tests.Tasks;

public sealed class ListDueTasksTests : IDisposable
{
    private static readonly IReadOnlyList<MeasurementTask> Taken = [Samples.Inflight];
    private static readonly TakeOrder ByDefault = new(TaskFilter.Any, Due: null, Limit: 100, TimeSpan.FromSeconds(300));

    private readonly SubstitutedDbos dbos = new();

    public static TheoryData<long, DateTimeOffset?> Times => new()
    {
        { 0, null },
        { Samples.Second, null },
        { Samples.Second - 1, Samples.Now.AddMilliseconds(-1) },
        { Samples.Second + 60, Samples.Now.AddMilliseconds(60_999) },
        { 253_402_300_799, DateTimeOffset.MaxValue.AddTicks(-9_999) },
    };

    [Theory]
    [MemberData(nameof(Times))]
    public async Task A_callers_second_is_due_to_its_end_but_the_current_one_only_to_now(long timestamp, DateTimeOffset? due)
    {
        dbos.Clock.Advance(TimeSpan.FromMilliseconds(400));

        await ShouldTake(ByDefault with { Due = due }, new ListDueTasks(TaskFilter.Any, timestamp, 0, 0));
    }

    [Theory]
    [InlineData(0, 100)]
    [InlineData(1, 1)]
    [InlineData(1_000, 1_000)]
    public async Task A_hundred_tasks_are_taken_unless_asked_otherwise(int asked, int limit) =>
        await ShouldTake(ByDefault with { Limit = limit }, new ListDueTasks(TaskFilter.Any, 0, asked, 0));

    [Theory]
    [InlineData(0, 300)]
    [InlineData(1, 1)]
    [InlineData(43_200, 43_200)]
    public async Task A_lease_is_the_policys_unless_asked_otherwise(long asked, int seconds) =>
        await ShouldTake(ByDefault with { Lease = TimeSpan.FromSeconds(seconds) }, new ListDueTasks(TaskFilter.Any, 0, 0, asked));

    [Fact]
    public async Task An_agents_module_takes_its_own_tasks_only()
    {
        var own = new TaskFilter("agent-1", "ping");

        await ShouldTake(ByDefault with { Filter = own }, new ListDueTasks(own, 0, 0, 0));
    }

    public void Dispose() => dbos.Dispose();

    private async Task ShouldTake(TakeOrder order, ListDueTasks command)
    {
        dbos.Tasks.Take(order, Arg.Any<Origin>(), Arg.Any<CancellationToken>()).Returns(Taken);

        (await dbos.Ask(command)).Value.Should().BeSameAs(Taken);
        await dbos.Tasks.Received(1).Take(order, dbos.Work.Origin, Arg.Any<CancellationToken>());
    }
}
