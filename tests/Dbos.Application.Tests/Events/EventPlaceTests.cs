namespace Dbos.Application.Tests.Events;

public sealed class EventPlaceTests
{
    private const string Generation = "0123456789abcdef";

    [Fact]
    public void A_place_comes_back_from_its_token()
    {
        var place = new EventPlace(Generation, [null, new StreamPosition(1_700_000_000_123, 4), null]);

        var read = EventPlace.Parse(place.ToString())!;

        (read.Generation, read.IsIn(Generation, 3), read.IsIn(Generation, 2), read.IsIn("fedcba9876543210", 3)).Should().Be((Generation, true, false, false));
        read.Positions.Should().Equal(place.Positions);
    }

    [Theory]
    [InlineData("")]
    [InlineData("no token")]
    [InlineData("MDEyMzQ1Njc4OWFiY2RlZg")] // The generation alone.
    [InlineData("eHgsMS0x")] // xx,1-1
    [InlineData("MDEyMzQ1Njc4OWFiY2RlZiwtMS0x")] // A negative time.
    [InlineData("MDEyMzQ1Njc4OWFiY2RlZix4")] // No position.
    public void What_was_not_given_out_is_no_place(string token) => EventPlace.Parse(token).Should().BeNull();

    [Fact]
    public void An_id_tells_the_position_and_the_stream()
    {
        EventId.Parse("1700000000123-4-63-1").Should().Be(new EventId(new StreamPosition(1_700_000_000_123, 4), 63, 1));
        new EventId(new StreamPosition(7, 10), 0, 0).ToString().Should().Be("7-10-0-0");
    }

    [Theory]
    [InlineData("1700000000123-4-0")]
    [InlineData("1700000000123-4-0-2")]
    [InlineData("1700000000123-4--1")]
    [InlineData("-1700000000123-4-0-1")]
    [InlineData("1700000000123-4-0-1-")]
    [InlineData("0193f0a1b2c30001-00c0ffee")]
    [InlineData("99999999999999999999-4-0-1")]
    public void Anything_else_is_no_id(string text) => EventId.Parse(text).Should().BeNull();

    [Fact]
    public void Ids_sort_by_time_and_then_in_the_order_of_their_stream()
    {
        var ids = new[] { "7-10-0-0", "7-9-0-0", "6-99-3-1", "7-9-0-1" }.Select(text => EventId.Parse(text)!.Value);

        ids.OrderBy(id => id.Order).Select(id => id.ToString()).Should().Equal("6-99-3-1", "7-9-0-0", "7-9-0-1", "7-10-0-0");
    }
}
