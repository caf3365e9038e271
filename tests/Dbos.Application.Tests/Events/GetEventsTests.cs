namespace Dbos.Application.Tests.Events;

public sealed class GetEventsTests
{
    private const string Generation = "0123456789abcdef";

    [Theory]
    [InlineData(0, 100)]
    [InlineData(1, 1)]
    [InlineData(10_000, 10_000)]
    [InlineData(20_000, 10_000)]
    public async Task A_hundred_events_are_read_unless_asked_otherwise_and_ten_thousand_at_most(long asked, int limit)
    {
        using var dbos = new SubstitutedDbos();
        var newest = new EventList([], Cut: false);
        dbos.Events.Search(EventFilter.Any, limit, null, Arg.Any<CancellationToken>()).Returns(newest);

        (await dbos.Ask(new GetEvents(asked))).Value.Should().BeSameAs(newest);
    }

    [Fact]
    public async Task A_page_that_has_left_the_log_is_refused()
    {
        using var dbos = new SubstitutedDbos();
        dbos.Events.Search(default!, default, default, default).ReturnsForAnyArgs((EventList?)null);

        var answer = await dbos.Ask(new GetEvents(0, EventFilter.Any, new EventPlace(Generation, [null, new StreamPosition(7, 0)]).ToString()));

        answer.Refusal!.Code.Should().Be(RefusalCode.NoLongerKept);
        answer.Refusal.Sentence.Should().StartWith("page_token must be as new as the events that are still kept");
    }
}
