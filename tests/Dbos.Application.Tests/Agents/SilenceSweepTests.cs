using Dbos.Domain.Agents;
using Microsoft.Extensions.DependencyInjection;

namespace Dbos.Application.Tests.Agents;

public sealed class SilenceSweepTests : IDisposable
{
    private readonly SubstitutedDbos dbos = new();

    public SilenceSweepTests()
    {
        dbos.Agents.Silent(500, Arg.Any<CancellationToken>()).Returns([Samples.Agent]);
        dbos.Clock.Advance(TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task A_silent_agent_is_saved_as_lost_in_dboss_own_name()
    {
        (await Sweep()).Should().Be(1);

        await dbos.Agents.Received(1).Save(
            Arg.Is<Agent>(saved => saved.Id == "agent-1" && !saved.Alive && saved.Version == 2),
            Arg.Is<CommitContext>(work => work.Origin == Origin.Background("silence-sweep") && work.Events[0].Type == "agent_lost"),
            Arg.Any<CancellationToken>());
    }

    [Fact]
    public async Task An_agent_that_is_heard_meanwhile_is_left_alone()
    {
        var heard = Agent.Hear(Samples.Agent, Samples.Heartbeat, dbos.Clock.GetUtcNow(), SubstitutedDbos.Policy.AgentTimeout).Next;
        dbos.Agents.Configure().Save(default!, default!, default).ReturnsForAnyArgs(new Saved<Agent>.Conflict(heard));

        await Sweep();

        await dbos.Agents.ReceivedWithAnyArgs(1).Save(default!, default!, default);
    }

    public void Dispose() => dbos.Dispose();

    private Task<int> Sweep() => dbos.Services.GetServices<ISweep>().OfType<SilenceSweep>().Single().Run(default);
}
