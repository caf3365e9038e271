using Dbos.Application.Agents;
using Dbos.Domain.Agents;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;
using Dbos.Infrastructure.Transfer;
using Dbos.Testing;

namespace Dbos.Infrastructure.Tests.Agents;

public abstract class SilenceTests(IEngine engine) : StoreTests(engine)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    protected override OpenOptions Options { get; } = new() { Policy = OpenOptions.DefaultPolicy with { AgentTimeout = TimeSpan.FromSeconds(1) } };

    [Fact]
    public async Task The_silence_sweep_loses_an_agent_that_was_not_heard_of()
    {
        await Dbos.Send(Given.Heartbeat());

        var lost = 0;
        await Eventually.True(async () => (lost += await Dbos.Sweep<SilenceSweep>()) > 0, Patience, "the silent agent is lost");

        lost.Should().Be(1);
        (await Dbos.Lines()).Should().ContainSingle(line => line.Contains("\"agent_lost\"", StringComparison.Ordinal));
        var agent = (await Dbos.Get<IAgentRepository>().Find("a1", None))!;
        agent.Changes.Should().EndWith(new AgentChange(agent.HeardAt.AddSeconds(1), Alive: false, AgentChange.Timeout));
        (await Dbos.EffectOf(Dbos.Sweep<SilenceSweep>)).Should().BeEmpty();
    }

    [Fact]
    public async Task Sweeps_of_several_replicas_lose_agents_once()
    {
        var beside = await OpenBeside(Dbos);
        await Dbos.SendAll(Enumerable.Range(0, 50).Select(number => Given.Heartbeat($"a{number}")));
        await Eventually.True(
            async () => (await Dbos.Get<IAgentRepository>().Overdue(100, None)).Count == 50, Patience, "the agents are silent");

        await Task.WhenAll(Enumerable.Range(0, 8).Select(sweep => (sweep % 2 == 0 ? Dbos : beside).Sweep<SilenceSweep>()));

        (await Dbos.Lines()).Where(line => line.Contains("\"agent_lost\"", StringComparison.Ordinal)).Should().HaveCount(50);
        (await Dbos.Get<IAgentRepository>().Count(None)).Should().Be(new AgentCounts(Known: 50, Alive: 0));
    }

    [Fact]
    public async Task The_silence_sweep_leaves_alone_who_was_heard_of()
    {
        var patient = await Open(new OpenOptions());
        await patient.Send(Given.Heartbeat());

        (await patient.EffectOf(patient.Sweep<SilenceSweep>)).Should().BeEmpty();
    }

    /// <summary>Its clock was set back since, or the timeout was longer.</summary>
    [Fact]
    public async Task An_agent_whose_deadline_lies_too_far_ahead_gets_one_from_now()
    {
        await Dbos.Send(Given.Heartbeat());
        var heard = (await Dbos.Get<IAgentRepository>().Find("a1", None))!;
        var other = await Open(Options);
        await ((ISubjectTransfer<Agent>)other.Get<IAgentRepository>()).Import([heard with { HeardAt = heard.HeardAt.AddDays(1) }], None);

        (await other.Sweep<SilenceSweep>()).Should().Be(1);

        (await other.Get<IAgentRepository>().Find("a1", None))!.HeardAt.Should().BeCloseTo(heard.HeardAt, TimeSpan.FromMinutes(1));
        await Eventually.True(async () => await other.Sweep<SilenceSweep>() == 1, Patience, "it is lost after the timeout");
    }
}

public sealed class SilenceOnRedis(RedisEngine engine) : SilenceTests(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class SilenceOnCluster(ClusterEngine engine) : SilenceTests(engine);

public sealed class SilenceOnSqlite(SqliteEngine engine) : SilenceTests(engine), IClassFixture<SqliteEngine>;
