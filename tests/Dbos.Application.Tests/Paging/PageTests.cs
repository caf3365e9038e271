using System.Buffers.Text;
using System.Text;

namespace Dbos.Application.Tests.Paging;

public sealed class PageTests
{
    [Theory]
    [InlineData(0, "agent-1")]
    [InlineData(1_700_000_000_123, "request|with|bars")]
    [InlineData(-5, "")]
    [InlineData(long.MaxValue, "名前 🛰")]
    [InlineData(long.MinValue, "|")]
    public void A_cursor_comes_back_from_its_token(long score, string member)
    {
        var cursor = new PageCursor(score, member);

        PageCursor.Parse(cursor.ToString()).Should().Be(cursor);
        new PageRequest(10, cursor.ToString()).After.Should().Be(cursor);
        new Page<int>([], cursor).NextToken.Should().Be(cursor.ToString()).And.MatchRegex("^[A-Za-z0-9_-]+$");
    }

    public static TheoryData<string> NoTokens =>
    [
        "",
        "not a token",
        "====",
        Base64Url.EncodeToString("12"u8),
        Base64Url.EncodeToString("|member"u8),
        Base64Url.EncodeToString("1.5|member"u8),
        Base64Url.EncodeToString(" 1|member"u8),
        Base64Url.EncodeToString("99999999999999999999|member"u8),
        Convert.ToBase64String(Encoding.UTF8.GetBytes("1|>>>???")),
    ];

    [Theory]
    [MemberData(nameof(NoTokens))]
    public void What_is_no_token_is_no_cursor(string token) => PageCursor.Parse(token).Should().BeNull();

    [Fact]
    public void The_first_page_begins_at_no_cursor_and_the_last_names_none()
    {
        Samples.WholeList.After.Should().BeNull();
        new Page<int>([], null).NextToken.Should().BeEmpty();
    }

    [Theory]
    [InlineData(0, 10_000)]
    [InlineData(1, 1)]
    [InlineData(10_000, 10_000)]
    public void Page_size_0_is_the_whole_list_within_one_reply(int size, int limit) =>
        new PageRequest(size, string.Empty).Limit.Should().Be(limit);
}
