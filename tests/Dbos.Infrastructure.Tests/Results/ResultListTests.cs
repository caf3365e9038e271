using Dbos.Application.Paging;
using Dbos.Application.Results;
using Dbos.Domain.Results;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;

namespace Dbos.Infrastructure.Tests.Results;

public abstract class ResultListTests(IEngine engine) : StoreTests(engine)
{
    private static readonly PageRequest Whole = new(0, string.Empty);

    [Theory]
    [InlineData("a1")]
    [InlineData("")]
    public async Task Results_come_latest_stored_first(string agentId)
    {
        var ids = Enumerable.Range(0, 30).Select(number => $"r{number * 7 % 30}").ToArray();
        foreach (var id in ids)
        {
            await Dbos.Send(Given.Result(id));
            await NextMillisecond();
        }

        (await List(agentId, Whole)).Items.Select(result => result.Id).Should().Equal(ids.Reverse());
    }

    [Theory]
    [InlineData("a1", 1, 200)]
    [InlineData("a1", 30, 200)]
    [InlineData("a1", 300, 200)]
    [InlineData("", 7, 300)]
    [InlineData("", 100, 300)]
    [InlineData("", 300, 300)]
    public async Task Results_of_the_same_millisecond_are_paged_through_with_none_twice_and_none_missing(string agentId, int size, int expected)
    {
        await Dbos.SendAll(Enumerable.Range(0, 300).Select(number => Given.Result($"r{number}", agentId: number % 3 == 0 ? "a2" : "a1")));

        var paged = await AllPages(agentId, size);

        paged.Select(result => result.Id).Should().Equal((await List(agentId, Whole)).Items.Select(result => result.Id));
        paged.Should().HaveCount(expected).And.OnlyContain(result => agentId.Length == 0 || result.AgentId == agentId);
        paged.Select(result => result.Id).Should().OnlyHaveUniqueItems();
    }

    [Fact]
    public async Task A_list_ends_before_its_bytes_exceed_a_reply_and_says_where_to_go_on()
    {
        await Dbos.SendAll(Enumerable.Range(0, 7).Select(number => Given.Result($"r{number}", "a1", new byte[1024 * 1024])));

        (await List("a1", Whole)).Items.Should().HaveCount(2, "with their documents three are more than 3 MiB");
        (await AllPages("a1", 0)).Select(result => result.Id).Should().OnlyHaveUniqueItems().And.HaveCount(7);
    }

    [Fact]
    public async Task An_item_larger_than_a_reply_comes_alone()
    {
        await Dbos.Send(Given.Result("large", "a1", new byte[4 * 1024 * 1024]));
        await NextMillisecond();
        await Dbos.Send(Given.Result("small"));

        var first = await List("a1", Whole);
        var second = await List("a1", Whole with { Token = first.NextToken });

        first.Items.Select(result => result.Id).Should().Equal("small");
        second.Items.Select(result => result.Id).Should().Equal("large");
        second.NextToken.Should().BeEmpty();
    }

    [Fact]
    public async Task A_whole_list_ends_at_ten_thousand_items_and_says_where_to_go_on()
    {
        await Dbos.SendAll(Enumerable.Range(0, PageRequest.MostItems + 5).Select(number => Given.Result($"r{number}")));

        var first = await List("a1", Whole);
        var rest = await List("a1", Whole with { Token = first.NextToken });

        (first.Items.Count, rest.Items.Count, rest.NextToken).Should().Be((PageRequest.MostItems, 5, string.Empty));
        first.Items.Concat(rest.Items).Select(result => result.Id).Should().OnlyHaveUniqueItems();
    }

    [Fact]
    public async Task An_agent_without_results_has_an_empty_list()
    {
        await Dbos.Send(Given.Result());

        var page = await List("a2", Whole);

        (page.Items.Count, page.NextToken).Should().Be((0, string.Empty));
    }

    private async Task<Page<MeasurementResult>> List(string agentId, PageRequest page) => (await Dbos.Send(new ListResults(agentId, page))).Value;

    private async Task<List<MeasurementResult>> AllPages(string agentId, int size)
    {
        var all = new List<MeasurementResult>();
        var token = string.Empty;
        do
        {
            var page = await List(agentId, new PageRequest(size, token));
            page.Items.Count.Should().BeInRange(1, size == 0 ? PageRequest.MostItems : size);
            all.AddRange(page.Items);
            token = page.NextToken;
        }
        while (token.Length > 0);

        return all;
    }

    /// <summary>On a Cluster lists are in the order of the milliseconds in which their items were stored.</summary>
    private Task<TimeSpan> NextMillisecond()
    {
        var clock = Dbos.Get<TimeProvider>();
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        return Testing.Eventually.True(() => clock.GetUtcNow().ToUnixTimeMilliseconds() > now + 1, TimeSpan.FromSeconds(1), "a millisecond passes");
    }
}

public sealed class ResultListOnRedis(RedisEngine engine) : ResultListTests(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class ResultListOnCluster(ClusterEngine engine) : ResultListTests(engine);

public sealed class ResultListOnSqlite(SqliteEngine engine) : ResultListTests(engine), IClassFixture<SqliteEngine>;
