namespace Dbos.Application.Tests.Events;

public sealed class GetEventsTests
{
    [Theory]
    [InlineData(0, 100)]
    [InlineData(1, 1)]
    [InlineData(10_000, 10_000)]
    public async Task A_hundred_events_are_read_unless_asked_otherwise(long asked, int limit)
    {
        using var dbos = new SubstitutedDbos();
        var newest = new EventList([], Cut: false);
        dbos.Events.Newest(limit, Arg.Any<CancellationToken>()).Returns(newest);

        (await dbos.Ask(new GetEvents(asked))).Value.Should().BeSameAs(newest);
    }
}
