using System.Diagnostics;
using Dbos.Domain.Agents;
using Microsoft.Extensions.DependencyInjection;

namespace Dbos.Application.Tests.Agents;

public sealed class SilenceSweepTests : IDisposable
{
    private readonly SubstitutedDbos dbos = new();

    public SilenceSweepTests()
    {
        dbos.Agents.Overdue(500, Arg.Any<CancellationToken>()).Returns(["agent-1"]);
        dbos.StoredAgent = Samples.Agent;
        dbos.Clock.Advance(TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task A_silent_agent_is_written_as_lost_in_dboss_own_name()
    {
        (await Sweep()).Should().Be(1);

        var (agent, work) = dbos.AgentCommits.Should().ContainSingle().Subject;
        (agent.Id, agent.Alive, agent.Version).Should().Be(("agent-1", false, 2));
        (work.Origin, work.Events[0].Type).Should().Be((Origin.Background("silence-sweep"), "agent_lost"));
    }

    [Fact]
    public async Task An_agent_that_is_lost_already_is_left_alone()
    {
        dbos.StoredAgent = Samples.Agent with { Alive = false };

        (await Sweep()).Should().Be(0);

        dbos.AgentCommits.Should().BeEmpty();
    }

    [Fact]
    public async Task An_agent_that_is_gone_is_left_alone()
    {
        dbos.StoredAgent = null;

        (await Sweep()).Should().Be(0);
    }

    [Fact]
    public async Task A_fault_says_in_which_trace_it_was_when_that_has_ended()
    {
        using var caller = new Activity("caller").Start();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == Spans.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> span) =>
                span.Parent.TraceId == caller.TraceId ? ActivitySamplingResult.AllData : ActivitySamplingResult.None,
        };
        ActivitySource.AddActivityListener(listener);
        dbos.Agents.Configure().Change(default!, default!, default!, default)
            .ReturnsForAnyArgs(Task.FromException<Answer<Written>>(new InvalidOperationException()));

        var fault = (await this.Awaiting(it => it.Sweep()).Should().ThrowAsync<InvalidOperationException>()).Which;

        Spans.TraceOf(fault).Should().Be(caller.TraceId.ToHexString());
    }

    public void Dispose() => dbos.Dispose();

    private Task<int> Sweep() => dbos.Services.GetServices<ISweep>().OfType<SilenceSweep>().Single().Run(default);
}
