using Dbos.Domain.Agents;

namespace Dbos.Application.Tests.Agents;

public sealed class AgentTests : IDisposable
{
    private readonly SubstitutedDbos dbos = new();

    [Fact]
    public async Task A_first_heartbeat_is_saved_as_a_new_agent()
    {
        (await dbos.Ask(new RegisterAgent(Samples.Heartbeat))).Value.Should().Be(new Written(1, Duplicate: false));

        ShouldHaveSaved(Samples.Agent);
    }

    [Fact]
    public async Task A_heartbeat_that_was_overtaken_merges_with_the_one_that_was_faster()
    {
        var faster = Samples.Agent with { FirstSeen = 5, TotalHeartbeats = 40, Version = 2 };
        dbos.Agents.Find("agent-1", Arg.Any<CancellationToken>()).Returns(Samples.Agent);
        dbos.Agents.Configure().Save(default!, default!, default)
            .ReturnsForAnyArgs(new Saved<Agent>.Conflict(faster), new Saved<Agent>.Done(3));

        (await dbos.Ask(new RegisterAgent(Samples.Heartbeat))).Value.Version.Should().Be(3);
        ShouldHaveSaved(faster with { Version = 3 });
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

    private void ShouldHaveSaved(Agent agent) =>
        dbos.Agents.Received(1).Save(Arg.Is<Agent>(saved => IsAlike(saved, agent)), dbos.Work, Arg.Any<CancellationToken>());

    private static bool IsAlike(Agent left, Agent right) => left with { Changes = right.Changes } == right;
}
