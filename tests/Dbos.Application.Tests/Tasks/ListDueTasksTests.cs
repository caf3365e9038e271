namespace Dbos.Application.Tests.Tasks;

public sealed class ListDueTasksTests : IDisposable
{
    private static readonly TakenTasks Taken = new([Samples.Inflight]);

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

        await ShouldTake(new ListDueTasks(timestamp, 0, 0), due);
    }

    [Theory]
    [InlineData(0, 100)]
    [InlineData(1, 1)]
    [InlineData(1_000, 1_000)]
    public async Task A_hundred_tasks_are_taken_unless_asked_otherwise(int asked, int limit) =>
        await ShouldTake(new ListDueTasks(0, asked, 0), due: null, limit);

    [Theory]
    [InlineData(0, 300)]
    [InlineData(1, 1)]
    [InlineData(43_200, 43_200)]
    public async Task A_lease_is_the_policys_unless_asked_otherwise(long asked, int seconds) =>
        await ShouldTake(new ListDueTasks(0, 0, asked), due: null, seconds: seconds);

    public void Dispose() => dbos.Dispose();

    private async Task ShouldTake(ListDueTasks command, DateTimeOffset? due, int limit = 100, int seconds = 300)
    {
        dbos.Tasks.Take(due, limit, TimeSpan.FromSeconds(seconds), Arg.Any<UnitOfWork>(), Arg.Any<CancellationToken>())
            .Returns(Taken);

        (await dbos.Ask(command)).Value.Should().BeSameAs(Taken);
    }
}
