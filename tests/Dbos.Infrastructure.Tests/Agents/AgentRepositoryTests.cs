using Dbos.Application.Agents;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;

namespace Dbos.Infrastructure.Tests.Agents;

public abstract class AgentRepositoryTests(IEngine engine) : StoreTests(engine)
{
    [Fact]
    public async Task The_first_heartbeat_registers_the_agent()
    {
        (await Dbos.EffectOf(Given.Heartbeat())).Should().Be(
            """
            + events {"type":"agent_registered","message":"agent a1 registered","metadata":{"agent_id":"a1"},"trace_id":"trace-1","actor":"test","timestamp":<now>,"timestamp_ms":<now>}
            + index agents a1 = 0
            + index agents:deadlines a1 = <now+60>
            + record agent:a1 version 1 deliveries 0 {"id":"a1","hostname":"host-1","alive":true,"last_seen":1500000005,"first_seen":1500000000,"config":{"key":"value"},"total_heartbeats":7,"heard_at":"<now>","changes":[{"at":"<now>","alive":true,"cause":"registered"}]}
            """);
    }

    [Fact]
    public async Task A_further_heartbeat_writes_the_agent_and_tells_of_nothing()
    {
        await Dbos.Send(Given.Heartbeat());

        (await Dbos.EffectOf(Given.Heartbeat())).Should().Be(
            """
            - record agent:a1 version 1 deliveries 0 {"id":"a1","hostname":"host-1","alive":true,"last_seen":1500000005,"first_seen":1500000000,"config":{"key":"value"},"total_heartbeats":7,"heard_at":"<now>","changes":[{"at":"<now>","alive":true,"cause":"registered"}]}
            + record agent:a1 version 2 deliveries 0 {"id":"a1","hostname":"host-1","alive":true,"last_seen":1500000005,"first_seen":1500000000,"config":{"key":"value"},"total_heartbeats":7,"heard_at":"<now>","changes":[{"at":"<now>","alive":true,"cause":"registered"}]}
            """);
    }

    [Fact]
    public async Task A_heartbeat_of_an_agent_that_is_not_alive_takes_its_deadline_away()
    {
        await Dbos.Send(Given.Heartbeat());

        (await Dbos.EffectOf(Given.Heartbeat(alive: false))).Should().Be(
            """
            + events {"type":"agent_lost","message":"agent a1 lost: reported as not alive","metadata":{"agent_id":"a1","cause":"reported"},"trace_id":"trace-1","actor":"test","timestamp":<now>,"timestamp_ms":<now>}
            - index agents:deadlines a1 = <now+60>
            - record agent:a1 version 1 deliveries 0 {"id":"a1","hostname":"host-1","alive":true,"last_seen":1500000005,"first_seen":1500000000,"config":{"key":"value"},"total_heartbeats":7,"heard_at":"<now>","changes":[{"at":"<now>","alive":true,"cause":"registered"}]}
            + record agent:a1 version 2 deliveries 0 {"id":"a1","hostname":"host-1","alive":false,"last_seen":1500000005,"first_seen":1500000000,"config":{"key":"value"},"total_heartbeats":7,"heard_at":"<now>","changes":[{"at":"<now>","alive":true,"cause":"registered"},{"at":"<now>","alive":false,"cause":"reported"}]}
            """);
    }

    [Fact]
    public async Task A_heartbeat_under_a_key_that_was_used_before_changes_nothing()
    {
        (await Dbos.EffectOf(Given.Heartbeat(), idempotencyKey: "k1")).Should().Contain("+ mark:RegisterAgent:named:a1:k1 expires <now+86400> 1 <fingerprint>");

        (await Dbos.EffectOf(Given.Heartbeat(), idempotencyKey: "k1")).Should().BeEmpty();
    }

    [Fact]
    public async Task A_refused_heartbeat_is_told_among_the_refusals_and_nothing_else()
    {
        (await Dbos.EffectOf(Given.Heartbeat(agentId: "a\u0001"))).Should().Be(
            """
            + refusals {"type":"agent_register_error","message":"agent.id must be 1 to 256 characters without control characters, but is 'a�'","metadata":{"agent_id":"a\u0001","code":"Validation"},"trace_id":"trace-1","actor":"test","timestamp":<now>,"timestamp_ms":<now>}
            """);
    }

    [Fact]
    public async Task The_silence_sweep_loses_an_agent_that_was_not_heard_of()
    {
        var dbos = await Open(new OpenOptions { Policy = OpenOptions.DefaultPolicy with { AgentTimeout = TimeSpan.FromSeconds(1) } });
        await dbos.Send(Given.Heartbeat());

        var lost = 0;
        var effect = await dbos.EffectOf(() => Testing.Eventually.True(
            async () => (lost += await dbos.Sweep<SilenceSweep>()) > 0, TimeSpan.FromSeconds(5), "the silent agent is lost"));

        lost.Should().Be(1);
        effect.Should().Be(
            """
            + events {"type":"agent_lost","message":"agent a1 lost: not heard of for 1 s","metadata":{"agent_id":"a1","cause":"timeout"},"trace_id":"","actor":"dbos:silence-sweep","timestamp":<now>,"timestamp_ms":<now>}
            - index agents:deadlines a1 = <now>
            - record agent:a1 version 1 deliveries 0 {"id":"a1","hostname":"host-1","alive":true,"last_seen":1500000005,"first_seen":1500000000,"config":{"key":"value"},"total_heartbeats":7,"heard_at":"<now>","changes":[{"at":"<now>","alive":true,"cause":"registered"}]}
            + record agent:a1 version 2 deliveries 0 {"id":"a1","hostname":"host-1","alive":false,"last_seen":1500000005,"first_seen":1500000000,"config":{"key":"value"},"total_heartbeats":7,"heard_at":"<now>","changes":[{"at":"<now>","alive":true,"cause":"registered"},{"at":"<now>","alive":false,"cause":"timeout"}]}
            """);
        (await dbos.EffectOf(dbos.Sweep<SilenceSweep>)).Should().BeEmpty();
    }

    [Fact]
    public async Task The_silence_sweep_leaves_alone_who_was_heard_of()
    {
        await Dbos.Send(Given.Heartbeat());

        (await Dbos.EffectOf(Dbos.Sweep<SilenceSweep>)).Should().BeEmpty();
    }

    [Fact]
    public async Task Sweeps_of_several_replicas_lose_an_agent_once()
    {
        var dbos = await Open(new OpenOptions { Policy = OpenOptions.DefaultPolicy with { AgentTimeout = TimeSpan.FromSeconds(1) } });
        var beside = await OpenBeside(dbos);
        await dbos.Send(Given.Heartbeat());
        await Testing.Eventually.True(
            async () => (await dbos.Get<IAgentRepository>().Silent(10, None)).Count > 0, TimeSpan.FromSeconds(5), "the agent is silent");

        await Task.WhenAll(Enumerable.Range(0, 8).Select(sweep => (sweep % 2 == 0 ? dbos : beside).Sweep<SilenceSweep>()));

        (await dbos.Lines()).Where(line => line.Contains("\"agent_lost\"", StringComparison.Ordinal)).Should().ContainSingle();
    }

    [Fact]
    public async Task An_agent_of_any_spelling_is_found_again()
    {
        const string Odd = "a:b%3A ж \U0001F600";
        await Dbos.Send(Given.Heartbeat(Odd, config: new Dictionary<string, string> { [Odd] = new('x', 5_000) }));

        var found = (await Dbos.Send(new GetAgent(Odd))).Value;

        (found.Id, found.Config[Odd].Length, found.Version).Should().Be((Odd, 5_000, 1));
    }
}

public sealed class AgentRepositoryOnRedis(RedisEngine engine) : AgentRepositoryTests(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class AgentRepositoryOnCluster(ClusterEngine engine) : AgentRepositoryTests(engine);

public sealed class AgentRepositoryOnSqlite(SqliteEngine engine) : AgentRepositoryTests(engine), IClassFixture<SqliteEngine>;
