using System.Text;
using Dbos.Application;
using Dbos.Application.Agents;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;
using Dbos.Testing;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Tests.Agents;

/// <summary>What change_agent.lua promises when Redis or the way to it is not as it should be.</summary>
[Collection(Undisturbed.Name)]
public sealed class AgentScriptTests(RedisEngine engine) : IClassFixture<RedisEngine>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData("agent:a1")]
    [InlineData("agents")]
    [InlineData("agents:deadlines")]
    [InlineData("mark:RegisterAgent:named:a1:k1")]
    public async Task A_key_of_another_type_leaves_everything_as_it_was(string name)
    {
        await using var dbos = await engine.Open(new OpenOptions());
        await engine.Operator.GetDatabase().ListRightPushAsync(dbos.Get<RedisPartitions>().Key(0, name), "wrong");

        var effect = await dbos.EffectOf(async () =>
        {
            var send = () => dbos.Send(Given.Heartbeat(), "k1");
            await send.Should().ThrowAsync<InvalidOperationException>();
        });

        effect.Should().BeEmpty();
    }

    [Theory]
    [InlineData("agent:a1")]
    [InlineData("agents:deadlines")]
    public async Task So_it_is_with_an_agent_that_is_known(string name)
    {
        await using var dbos = await engine.Open(new OpenOptions());
        await dbos.Send(Given.Heartbeat());
        var key = dbos.Get<RedisPartitions>().Key(0, name);
        await engine.Operator.GetDatabase().KeyDeleteAsync(key);
        await engine.Operator.GetDatabase().ListRightPushAsync(key, "wrong");

        var effect = await dbos.EffectOf(async () =>
        {
            var send = () => dbos.Send(Given.Heartbeat(alive: false, total: 8), "k1");
            await send.Should().ThrowAsync<InvalidOperationException>();
        });

        effect.Should().BeEmpty();
    }

    /// <summary>The log must not fail a commit that is done.</summary>
    [Fact]
    public async Task An_event_that_cannot_be_written_does_not_fail_the_heartbeat()
    {
        await using var dbos = await engine.Open(new OpenOptions());
        await engine.Operator.GetDatabase().StringSetAsync(dbos.Get<RedisPartitions>().Key(0, "events"), "wrong");

        (await dbos.Send(Given.Heartbeat())).IsRefused.Should().BeFalse();

        (await dbos.Get<IAgentRepository>().Find("a1", default)).Should().NotBeNull();
    }

    [Theory]
    [InlineData(CutPoint.BeforeRequest)]
    [InlineData(CutPoint.WithinRequest)]
    [InlineData(CutPoint.BeforeReply)]
    public async Task A_heartbeat_whose_connection_breaks_is_merged_once(CutPoint point)
    {
        await using var proxy = new TcpProxy(engine.Server.Port);
        await using var dbos = await engine.Open(new OpenOptions(), proxy.Address);
        await dbos.Send(Given.Heartbeat("cut"));
        proxy.CutAt(point, Encoding.UTF8.GetBytes("host-cut"));

        (await dbos.Send(Given.Heartbeat("cut", "host-cut", total: 9))).Value.Should().Be(new Application.Pipeline.Written(2, Duplicate: false));

        var agent = (await dbos.Get<IAgentRepository>().Find("cut", default))!;
        (agent.Hostname, agent.Heartbeats.Total, agent.Version).Should().Be(("host-cut", 9, 2));
        (await dbos.Lines()).Should().ContainSingle(line => line.Contains("\"agent_changed\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_heartbeat_whose_reply_is_lost_while_others_follow_is_an_outage()
    {
        await using var proxy = new TcpProxy(engine.Server.Port);
        await using var dbos = await engine.Open(new OpenOptions(), proxy.Address);
        await using var others = new OpenStore(dbos.Settings with { Address = engine.Server.Address }, dbos.Policy, (_, _) => throw new NotSupportedException());
        await others.Get<IStoreConnection>().Open(default);
        await dbos.Send(Given.Heartbeat("cut"));
        proxy.CutAt(CutPoint.BeforeReply, Encoding.UTF8.GetBytes("host-cut"), meanwhile: () => others.Send(Given.Heartbeat("cut", "host-3", total: 10)));

        var send = () => dbos.Send(Given.Heartbeat("cut", "host-cut", total: 9));
        await send.Should().ThrowAsync<StoreUnavailableException>();

        var agent = (await others.Get<IAgentRepository>().Find("cut", default))!;
        (agent.Hostname, agent.Heartbeats.Total, agent.Version).Should().Be(("host-3", 10, 3));
    }

    [Fact]
    public async Task A_heartbeat_is_one_round_trip_and_few_commands()
    {
        await using var dbos = await engine.Open(new OpenOptions());
        await dbos.Send(Given.Heartbeat("quick"));
        var before = await Calls();

        await dbos.Send(Given.Heartbeat("quick", total: 8));

        var after = await Calls();
        after.Where(call => call.Value > before.GetValueOrDefault(call.Key)).Select(call => $"{call.Key} {call.Value - before.GetValueOrDefault(call.Key)}")
            .Where(call => !call.StartsWith("info", StringComparison.Ordinal))
            .Should().BeEquivalentTo("evalsha 1", "time 1", "hget 1", "zscore 1", "hset 1", "zadd 1");
    }

    [Fact]
    public async Task Deadlines_without_a_record_do_not_keep_the_sweep_from_those_behind_them()
    {
        await using var dbos = await engine.Open(new OpenOptions { Policy = OpenOptions.DefaultPolicy with { AgentTimeout = TimeSpan.FromSeconds(1) } });
        var redis = engine.Operator.GetDatabase();
        await redis.SortedSetAddAsync(
            dbos.Get<RedisPartitions>().Key(0, Names.AgentDeadlines), [.. Enumerable.Range(0, 520).Select(number => new SortedSetEntry($"none {number}", number))]);
        await redis.ListRightPushAsync(dbos.Get<RedisPartitions>().Key(0, Names.Agent("none 7")), "wrong");
        await dbos.Send(Given.Heartbeat());

        await Eventually.True(async () => await dbos.Sweep<SilenceSweep>() == 1, Patience, "the silent agent is lost");

        (await dbos.Get<IAgentRepository>().Find("a1", default))!.Alive.Should().BeFalse();
    }

    private async Task<Dictionary<string, long>> Calls()
    {
        var info = await engine.Operator.GetServers()[0].InfoAsync("commandstats");
        return info.SelectMany(section => section).ToDictionary(
            entry => entry.Key["cmdstat_".Length..],
            entry => long.Parse(entry.Value.Split(',')[0]["calls=".Length..], System.Globalization.CultureInfo.InvariantCulture));
    }
}
