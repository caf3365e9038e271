using Dbos.Application.Agents;
using Dbos.Application.ModuleStates;
using Dbos.Application.Paging;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;

namespace Dbos.Infrastructure.Tests.Store;

/// <summary>Lists over all partitions, their order, their pages, and the limits of one reply.</summary>
public abstract class ListTests(IEngine engine) : StoreTests(engine)
{
    private static readonly PageRequest Whole = new(0, string.Empty);

    [Fact]
    public async Task Agents_come_by_the_bytes_of_their_ids()
    {
        string[] ids = ["zeta", "\U0001F600", "\uFFFD", "a:b", "a", "A", "é", "a%b", .. Enumerable.Range(0, 60).Select(number => $"agent {number}")];
        await Dbos.SendAll(ids.Select(id => Given.Heartbeat(id)));

        var listed = (await Agents(Whole)).Items.Select(agent => agent.Id);

        listed.Should().Equal(ids.Order(Comparer<string>.Create(Utf8Order.Compare)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(40)]
    [InlineData(41)]
    public async Task Agents_are_paged_through_with_none_twice_and_none_missing(int size)
    {
        await Dbos.SendAll(Enumerable.Range(0, 40).Select(number => Given.Heartbeat($"agent {number}")));

        var paged = await AllPages(size, Agents);

        paged.Select(agent => agent.Id).Should().Equal((await Agents(Whole)).Items.Select(agent => agent.Id)).And.HaveCount(40);
    }

    [Fact]
    public async Task States_come_latest_accepted_first_whichever_was_the_first_report()
    {
        foreach (var (request, state) in new[] { ("r1", "running"), ("r2", "running"), ("r3", "running"), ("r1", "completed") })
        {
            await Dbos.Send(Given.State(request, state));
            await NextMillisecond();
        }

        (await States("a1", "ping", Whole)).Items.Select(state => state.RequestId).Should().Equal("r1", "r3", "r2");
    }

    [Theory]
    [InlineData("a1", "ping", "r1")]
    [InlineData("a1", "", "r1 r2")]
    [InlineData("", "ping", "r1 r3")]
    [InlineData("", "", "r1 r2 r3 r4")]
    [InlineData("a1", "none", "")]
    public async Task States_are_listed_of_an_agent_a_module_both_or_all(string agentId, string moduleName, string expected)
    {
        await Dbos.SendAll([
            Given.State("r1", agentId: "a1", moduleName: "ping"),
            Given.State("r2", agentId: "a1", moduleName: "trace"),
            Given.State("r3", agentId: "a2", moduleName: "ping"),
            Given.State("r4", agentId: "a2", moduleName: "trace"),
        ]);

        var listed = (await States(agentId, moduleName, Whole)).Items.Select(state => state.RequestId);

        string.Join(' ', listed.Order(StringComparer.Ordinal)).Should().Be(expected);
    }

    [Fact]
    public async Task States_over_all_partitions_are_paged_through_with_none_twice_and_none_missing()
    {
        await Dbos.SendAll(Enumerable.Range(0, 100).Select(number => Given.State($"r{number}")));

        var paged = await AllPages(9, page => States(string.Empty, string.Empty, page));

        paged.Select(state => state.RequestId).Should().OnlyHaveUniqueItems().And.HaveCount(100);
    }

    [Fact]
    public async Task A_whole_list_ends_at_ten_thousand_items_and_says_where_to_go_on()
    {
        await Dbos.SendAll(Enumerable.Range(0, PageRequest.MostItems + 5).Select(number => Given.State($"r{number}")));

        var first = await States("a1", string.Empty, Whole);
        var rest = await States("a1", string.Empty, Whole with { Token = first.NextToken });

        (first.Items.Count, rest.Items.Count, rest.NextToken).Should().Be((PageRequest.MostItems, 5, string.Empty));
        first.Items.Concat(rest.Items).Select(state => state.RequestId).Should().OnlyHaveUniqueItems();
    }

    private static async Task<List<T>> AllPages<T>(int size, Func<PageRequest, Task<Page<T>>> list)
    {
        var all = new List<T>();
        var token = string.Empty;
        do
        {
            var page = await list(new PageRequest(size, token));
            page.Items.Count.Should().BeInRange(1, size == 0 ? PageRequest.MostItems : size);
            all.AddRange(page.Items);
            all.Count.Should().BeLessThanOrEqualTo(PageRequest.MostItems);
            token = page.NextToken;
        }
        while (token.Length > 0);

        return all;
    }

    [Theory]
    [InlineData(AgentFilter.Alive, 0)]
    [InlineData(AgentFilter.Lost, 1)]
    public async Task Agents_are_listed_by_whether_they_are_alive_in_pages_too(AgentFilter filter, int remainder)
    {
        await Dbos.SendAll(Enumerable.Range(0, 60).Select(number => Given.Heartbeat($"a{number:00}", alive: number % 3 == 0)));
        var expected = Enumerable.Range(0, 60).Where(number => (number % 3 == 0) == (remainder == 0)).Select(number => $"a{number:00}").ToArray();
        var listed = new List<string>();
        var token = string.Empty;
        do
        {
            var page = (await Dbos.Send(new ListAgents(filter, new PageRequest(7, token)))).Value;
            listed.AddRange(page.Items.Select(agent => agent.Id));
            token = page.NextToken;
        }
        while (token.Length > 0);

        listed.Should().Equal(expected);
        (await Dbos.Send(new ListAgents(filter, new PageRequest(0, string.Empty)))).Value.Items.Select(agent => agent.Id).Should().Equal(expected);
    }

    private async Task<Page<Domain.Agents.Agent>> Agents(PageRequest page) => (await Dbos.Send(new ListAgents(AgentFilter.All, page))).Value;

    private async Task<Page<Domain.ModuleStates.ModuleState>> States(string agentId, string moduleName, PageRequest page) =>
        (await Dbos.Send(new ListModuleStates(agentId, moduleName, page))).Value;

    /// <summary>Lists are in the order of the milliseconds in which their items were stored.</summary>
    private Task<TimeSpan> NextMillisecond()
    {
        var clock = Dbos.Get<TimeProvider>();
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        return Testing.Eventually.True(() => clock.GetUtcNow().ToUnixTimeMilliseconds() > now, TimeSpan.FromSeconds(1), "a millisecond passes");
    }
}

public sealed class ListOnRedis(RedisEngine engine) : ListTests(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class ListOnCluster(ClusterEngine engine) : ListTests(engine);

public sealed class ListOnSqlite(SqliteEngine engine) : ListTests(engine), IClassFixture<SqliteEngine>;
