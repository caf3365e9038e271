using Dbos.Domain.Agents;

namespace Dbos.Application.Tests.Agents;

public sealed class AgentTests : IDisposable
{
    private readonly SubstitutedDbos dbos = new();

    [Fact]
    public async Task A_first_heartbeat_is_written_as_a_new_agent_with_its_event()
    {
        (await dbos.Ask(new RegisterAgent(Samples.Heartbeat))).Value.Should().Be(new Written(1, Duplicate: false));

        var (agent, work) = dbos.AgentCommits.Should().ContainSingle().Subject;
        agent.Should().BeEquivalentTo(Samples.Agent);
        work.Should().BeSameAs(dbos.Work);
        work.Events.Select(told => told.Type).Should().Equal("agent_registered");
    }

    [Fact]
    public async Task A_further_heartbeat_is_merged_with_what_is_stored()
    {
        dbos.StoredAgent = Samples.Agent with { FirstSeen = 5, Heartbeats = HeartbeatCount.First(40, Samples.Second), Version = 2 };

        (await dbos.Ask(new RegisterAgent(Samples.Heartbeat with { TotalHeartbeats = 42 }))).Value.Version.Should().Be(3);

        dbos.AgentCommits[0].Next.Should().BeEquivalentTo(new { FirstSeen = 5, Heartbeats = new { Total = 42 }, Version = 3 });
    }

    [Theory]
    [InlineData(59, true)]
    [InlineData(60, false)]
    public async Task Alive_is_answered_as_it_is_now(int silentSeconds, bool alive)
    {
        var page = new Page<Agent>([Samples.Agent], new PageCursor(0, "agent-1"));
        dbos.Agents.Find("agent-1", Arg.Any<CancellationToken>()).Returns(Samples.Agent);
        dbos.Agents.List(AgentFilter.All, Samples.WholeList, Arg.Any<CancellationToken>()).Returns(page);
        dbos.Clock.Advance(TimeSpan.FromSeconds(silentSeconds));

        (await dbos.Ask(new GetAgent("agent-1"))).Value.Alive.Should().Be(alive);
        var listed = (await dbos.Ask(new ListAgents(AgentFilter.All, Samples.WholeList))).Value;
        listed.Items.Should().Equal(Samples.Agent with { Alive = alive });
        listed.Next.Should().Be(page.Next);
    }

    [Fact]
    public async Task An_agent_that_was_never_heard_is_not_known() =>
        (await dbos.Ask(new GetAgent("agent-2"))).Refusal.Should().Be(new Refusal(RefusalCode.NotFound, "agent 'agent-2' is not known"));

    public void Dispose() => dbos.Dispose();
}
