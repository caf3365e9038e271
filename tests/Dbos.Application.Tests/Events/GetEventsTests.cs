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
        dbos.Events.Search(EventFilter.Any, limit, null, Arg.Any<CancellationToken>()).Returns(newest);

        (await dbos.Ask(new GetEvents(asked))).Value.Should().BeSameAs(newest);
    }

    [Fact]
    public async Task A_page_token_of_a_store_with_other_partitions_is_refused()
    {
        using var dbos = new SubstitutedDbos();

        var answer = await dbos.Ask(new GetEvents(0, EventFilter.Any, new EventPlace(["", "0193f0a1b2c30001-00c0ffee"]).ToString()));

        answer.Refusal!.Code.Should().Be(RefusalCode.Validation);
        answer.Refusal.Sentence.Should().StartWith("page_token must be a next_page_token of this list");
    }
}
