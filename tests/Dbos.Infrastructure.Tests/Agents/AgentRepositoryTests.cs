using System.Globalization;
using Dbos.Application.Agents;
using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Domain.Agents;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;
using Dbos.Infrastructure.Transfer;

namespace Dbos.Infrastructure.Tests.Agents;

public abstract class AgentRepositoryTests(IEngine engine) : StoreTests(engine)
{
    private const string Odd = "a:b%3A ж \U0001F600";

    private IAgentRepository Agents => Dbos.Get<IAgentRepository>();

    [Fact]
    public async Task The_first_heartbeat_registers_the_agent()
    {
        (await Dbos.EffectOf(Given.Heartbeat(Odd, total: 7))).Should().Contain("agent_registered");

        var agent = (await Agents.Find(Odd, None))!;
        (agent.Id, agent.Hostname, agent.Alive, agent.LastSeen, agent.FirstSeen, agent.Heartbeats.Total, agent.Version)
            .Should().Be((Odd, "host-1", true, Given.LongAgo + 5, Given.LongAgo, 7, 1));
        Texts(agent).Should().Be("key=value");
        agent.Changes.Should().ContainSingle().Which.Should().Be(new AgentChange(agent.HeardAt, Alive: true, AgentChange.Registered));
        (await Types()).Should().Equal("agent_registered");
    }

    [Fact]
    public async Task A_heartbeat_that_changes_nothing_rewrites_nothing_but_its_times_and_counts()
    {
        await Dbos.Send(Given.Heartbeat());

        var effect = await Dbos.EffectOf(Given.Heartbeat(total: 8));

        effect.Split('\n').Should().NotBeEmpty().And.OnlyContain(line =>
            line.Contains("agent:a1 state", StringComparison.Ordinal)
            || line.Contains("agent:a1 version", StringComparison.Ordinal)
            || line.Contains("agent:a1 last_seen", StringComparison.Ordinal)
            || line.Contains("agent:a1 total_heartbeats", StringComparison.Ordinal)
            || line.Contains("agent:a1 callers", StringComparison.Ordinal));
        (await Agents.Find("a1", None))!.Heartbeats.Total.Should().Be(8);
    }

    [Fact]
    public async Task A_config_key_that_changes_with_each_heartbeat_is_no_event_and_leaves_the_rest_of_the_config_alone()
    {
        for (var number = 1; number <= 20; number++)
        {
            await Dbos.Send(Told(number));
        }

        var effect = await Dbos.EffectOf(Told(21));

        (await Types()).Should().Equal("agent_registered", "agent_changed", "agent_changed");
        effect.Should().Contain("learned").And.NotContain("module list");
        Texts((await Agents.Find("a1", None))!).Should().Be("modules=module list, timestamp=21");
        await Dbos.Send(Told(22, modules: "other"));
        (await Types()).Should().HaveCount(4);
        (await Dbos.Lines()).Should().Contain(line => line.Contains("\"config_keys\":\"modules\"", StringComparison.Ordinal));
        Texts((await Agents.Find("a1", None))!).Should().Be("modules=other, timestamp=22");
    }

    [Fact]
    public async Task Replicas_that_hear_an_agent_in_turns_know_the_same_of_it()
    {
        var beside = await OpenBeside(Dbos);
        for (var number = 1; number <= 40; number++)
        {
            (await (number % 3 == 0 ? beside : Dbos).Send(Told(number))).Value.Version.Should().Be(number);
        }

        var agent = (await beside.Get<IAgentRepository>().Find("a1", None))!;
        (agent.Heartbeats.Total, agent.Version, Texts(agent)).Should().Be((40, 40, "modules=module list, timestamp=40"));
        (await Types()).Should().Equal("agent_registered", "agent_changed", "agent_changed");
    }

    [Fact]
    public async Task Heartbeats_at_the_same_time_are_all_merged()
    {
        const int Racers = 24;
        var beside = await OpenBeside(Dbos);

        await Task.WhenAll(Enumerable.Range(1, Racers).Select(number => (number % 2 == 0 ? beside : Dbos).Send(Given.Heartbeat(total: number)))).WaitAsync(RacePatience);

        var agent = (await Agents.Find("a1", None))!;
        agent.Version.Should().Be(Racers);
        agent.Heartbeats.Total.Should().BeGreaterThanOrEqualTo(Racers);
        (await Types()).Should().Equal("agent_registered");
    }

    [Fact]
    public async Task A_reported_loss_and_a_changed_host_are_told()
    {
        await Dbos.Send(Given.Heartbeat());
        await Dbos.Send(Given.Heartbeat(hostname: "host-2", total: 8));
        await Dbos.Send(Given.Heartbeat(hostname: string.Empty, alive: false, total: 9));
        (await Agents.Count(None)).Should().Be(new AgentCounts(Known: 1, Alive: 0));
        await Dbos.Send(Given.Heartbeat(hostname: string.Empty, total: 10));

        (await Types()).Should().Equal("agent_registered", "agent_changed", "agent_lost", "agent_back");
        var agent = (await Agents.Find("a1", None))!;
        (agent.Hostname, agent.Alive).Should().Be(("host-2", true));
        agent.Changes.Select(change => change.Cause).Should().Equal("registered", "reported", "heard");
        (await Agents.Count(None)).Should().Be(new AgentCounts(Known: 1, Alive: 1));
    }

    [Fact]
    public async Task A_heartbeat_under_a_key_that_was_used_before_changes_nothing()
    {
        (await Dbos.EffectOf(Given.Heartbeat(), idempotencyKey: "k1")).Should().Contain("+ mark:RegisterAgent:named:a1:k1 expires <now+86400> 1 <fingerprint>");

        (await Dbos.EffectOf(async () => (await Dbos.Send(Given.Heartbeat(), "k1")).Value.Should().Be(new Written(1, Duplicate: true)))).Should().BeEmpty();
        (await Dbos.Send(Given.Heartbeat(hostname: "host-2"), "k1")).Refusal!.Code.Should().Be(Domain.Answers.RefusalCode.IdempotencyKeyReused);
    }

    [Fact]
    public async Task Agents_of_all_partitions_are_listed_by_id_in_pages_and_by_filter()
    {
        string[] ids = [.. Enumerable.Range(0, 250).Select(number => $"a{number:000}"), Odd, "ж", "\uFFFD", "\U0001F600"];
        await Dbos.SendAll(ids.Select((id, i) => Given.Heartbeat(id, alive: i % 5 != 0)));

        var all = await Pages(AgentFilter.All, size: 0);
        all.Should().Equal(ids.Order(Comparer<string>.Create(Infrastructure.Store.Utf8Order.Compare)));
        (await Pages(AgentFilter.All, size: 7)).Should().Equal(all);
        (await Pages(AgentFilter.Lost, size: 3)).Should().Equal(all.Where(id => Array.IndexOf(ids, id) % 5 == 0));
        (await Pages(AgentFilter.Alive, size: 0)).Should().Equal(all.Where(id => Array.IndexOf(ids, id) % 5 != 0));
    }

    [Fact]
    public async Task A_list_ends_where_a_reply_is_full_and_goes_on_there()
    {
        var config = new Dictionary<string, string> { ["modules"] = new('x', 200_000) };
        await Dbos.SendAll(Enumerable.Range(0, 40).Select(number => Given.Heartbeat($"a{number:00}", config: config)));

        var page = await Agents.List(AgentFilter.All, new PageRequest(0, string.Empty), None);

        page.Items.Should().HaveCountGreaterThan(10).And.HaveCountLessThan(20);
        (await Pages(AgentFilter.All, size: 0)).Should().HaveCount(40);
    }

    [Fact]
    public async Task Export_and_import_keep_all_of_every_agent()
    {
        for (var number = 1; number <= 8; number++)
        {
            await Dbos.Send(Told(number));
        }

        await Dbos.Send(Given.Heartbeat(Odd, alive: false));
        var other = await Open(Options);

        var exported = await ((ISubjectTransfer<Agent>)Agents).Export().ToArrayAsync();
        await ((ISubjectTransfer<Agent>)other.Get<IAgentRepository>()).Import(exported, None);

        (await ((ISubjectTransfer<Agent>)other.Get<IAgentRepository>()).Export().ToArrayAsync()).Should().BeEquivalentTo(exported).And.HaveCount(2);
        Without(await other.Lines()).Should().BeEquivalentTo(Without(await Dbos.Lines()));

        static IEnumerable<string> Without(IEnumerable<string> lines) => lines.Where(line => !line.StartsWith("events", StringComparison.Ordinal));
    }

    private static RegisterAgent Told(int number, string modules = "module list") => Given.Heartbeat(
        config: new Dictionary<string, string> { ["modules"] = modules, ["timestamp"] = number.ToString(CultureInfo.InvariantCulture) }, total: number);

    private static string Texts(Agent agent) => string.Join(
        ", ", agent.Config.Values.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => $"{entry.Key}={entry.Value.RequiredText}"));

    private async Task<List<string>> Pages(AgentFilter filter, int size)
    {
        var ids = new List<string>();
        var token = string.Empty;
        do
        {
            var page = await Agents.List(filter, new PageRequest(size, token), None);
            ids.AddRange(page.Items.Select(agent => agent.Id));
            token = page.NextToken;
        }
        while (token.Length > 0);

        return ids;
    }

    /// <summary>Of the events in the log, in the order of their commits.</summary>
    private async Task<string[]> Types() =>
    [
        .. from line in await Dbos.Lines()
           where line.StartsWith("events {", StringComparison.Ordinal)
           select line.Split("\"type\":\"")[1].Split('"')[0],
    ];
}

public sealed class AgentRepositoryOnRedis(RedisEngine engine) : AgentRepositoryTests(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class AgentRepositoryOnCluster(ClusterEngine engine) : AgentRepositoryTests(engine);

public sealed class AgentRepositoryOnSqlite(SqliteEngine engine) : AgentRepositoryTests(engine), IClassFixture<SqliteEngine>;
