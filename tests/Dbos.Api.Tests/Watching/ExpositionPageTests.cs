namespace Dbos.Api.Tests.Watching;

public sealed class ExpositionPageTests
{
    [Fact]
    public void A_page_is_read_with_its_escapes()
    {
        var page = new ExpositionPage("# HELP calls Calls\n# TYPE calls counter\ncalls{of=\"a \\\"b\\\" \\\\ \\n, }\",by=\"\"} 1.5e3 17\ncalls -Inf\n");

        page.Sum("calls", ("of", "a \"b\" \\ \n, }"), ("by", string.Empty)).Should().Be(1500);
        page.LabelsOf("calls").Should().BeEquivalentTo("of", "by");
        page.Sum("calls", ("of", "other")).Should().BeNull();
    }

    [Theory]
    [InlineData("# TYPE a gauge\na 1", "the end is missing")]
    [InlineData("a 1\n", "it has no type")]
    [InlineData("# TYPE a gauge\nb 1\n", "it is another metric's")]
    [InlineData("# TYPE a gauge\na 1\na 2\n", "a series comes twice")]
    [InlineData("# TYPE a gauge\n# TYPE a gauge\n", "a type comes twice")]
    [InlineData("# TYPE a gauge\na{b=\"c} 1\n", "a quote is open")]
    [InlineData("# TYPE a gauge\na{b=\"c\"d=\"e\"} 1\n", "a comma is missing")]
    [InlineData("# TYPE a gauge\na  1\n", "two spaces")]
    [InlineData("# TYPE a.b gauge\n", "a dot is in no name")]
    [InlineData("# TYPE a histogram\na_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 1\n", "buckets shrink")]
    [InlineData("# TYPE a histogram\na_bucket{le=\"1\"} 1\na_sum 1\na_count 1\n", "the last bucket is missing")]
    [InlineData("# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 2\n", "the count differs")]
    public void A_page_that_is_none_is_refused(string text, string why) =>
        ((Func<ExpositionPage>)(() => new ExpositionPage(text))).Should().Throw<FormatException>(why);
}
