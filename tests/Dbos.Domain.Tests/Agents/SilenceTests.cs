using Dbos.Domain.Agents;
using FsCheck.Xunit;

namespace Dbos.Domain.Tests.Agents;

public sealed class SilenceTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);
    private static readonly Agent Alive = Agent.Hear(null, Samples.Heartbeat, Samples.Now, Timeout).Next;
    private static readonly Agent Dead = Alive with { Alive = false };

    [Theory]
    [InlineData(0, true)]
    [InlineData(59_999, true)]
    [InlineData(60_000, false)]
    [InlineData(3_600_000, false)]
    public void Alive_is_true_until_nothing_was_heard_for_the_timeout(int silentMilliseconds, bool alive)
    {
        var now = Samples.Now.AddMilliseconds(silentMilliseconds);

        Alive.AsOf(now, Timeout).Should().Be(Alive with { Alive = alive });
        Dead.AsOf(now, Timeout).Alive.Should().BeFalse();
    }

    [Fact]
    public void An_agent_that_fell_silent_is_lost_and_told_so()
    {
        var decision = Alive.Lose(Samples.Now + Timeout, Timeout);

        decision.IsReplay.Should().BeFalse();
        decision.Next.Should().Be(Alive with { Alive = false, Version = 2, Changes = decision.Next.Changes });
        var told = decision.Events.Should().ContainSingle().Subject;
        told.Type.Should().Be("agent_lost");
        told.Message.Should().Be("agent agent-1 lost: not heard of for 60 s");
        told.Metadata.Should().Equal(("agent_id", "agent-1"), ("cause", "timeout"));
    }

    [Fact]
    public void An_agent_that_is_lost_already_is_not_lost_again() => ShouldStay(Dead, Samples.Now.AddDays(1));

    [Fact]
    public void An_agent_that_was_heard_after_all_is_not_lost() => ShouldStay(Alive, Samples.Now + Timeout - TimeSpan.FromTicks(1));

    [Fact]
    public void An_agent_whose_first_word_is_that_it_is_not_alive_is_registered_and_lost()
    {
        var decision = Agent.Hear(null, Samples.Heartbeat with { Alive = false }, Samples.Now, Timeout);

        decision.Events.Select(told => told.Type).Should().Equal("agent_registered", "agent_lost");
        decision.Events[1].MetadataOf("cause").Should().Be("reported");
    }

    [Fact]
    public void A_lost_agent_is_back_with_its_next_heartbeat()
    {
        var lost = Alive.Lose(Samples.Now + Timeout, Timeout).Next;

        var back = Agent.Hear(lost, Samples.Heartbeat, Samples.Now.AddMinutes(2), Timeout);

        back.Next.Alive.Should().BeTrue();
        back.Events.Should().ContainSingle().Which.Type.Should().Be("agent_back");
    }

    /// <summary>Else what the history tells would hang on which of the two came first.</summary>
    [Theory]
    [InlineData(true, "agent_lost, agent_back")]
    [InlineData(false, "agent_lost")]
    public void A_heartbeat_after_the_timeout_tells_what_a_sweep_before_it_would_have_told(bool alive, string told)
    {
        var (heartbeat, late) = (Samples.Heartbeat with { Alive = alive }, Samples.Now.AddMinutes(2));
        var swept = Alive.Lose(late, Timeout);
        var heardAfterwards = Agent.Hear(swept.Next, heartbeat, late, Timeout);

        var heard = Agent.Hear(Alive, heartbeat, late, Timeout);

        string.Join(", ", heard.Events.Select(one => one.Type)).Should().Be(told);
        heard.Events.Should().BeEquivalentTo(swept.Events.Concat(heardAfterwards.Events));
        heard.Next.Should().BeEquivalentTo(heardAfterwards.Next with { Version = 2 });
    }

    [Fact]
    public void A_deadline_that_has_passed_makes_a_silent_agent_lost_and_gives_another_a_new_one()
    {
        var (late, early) = (Samples.Now + Timeout, Samples.Now.AddSeconds(59));

        Alive.CheckDeadline(late, Timeout).Should().BeEquivalentTo(Alive.Lose(late, Timeout));
        var heard = Alive.CheckDeadline(early, Timeout);
        (heard.IsReplay, heard.Events.Count, heard.Next).Should().Be((false, 0, Alive with { Version = 2 }));
        Dead.CheckDeadline(late, Timeout).IsReplay.Should().BeTrue();
    }

    /// <summary>A clock that was set back would keep a dead agent alive for as long as it was set back.</summary>
    [Fact]
    public void An_agent_heard_in_the_future_is_lost_a_timeout_from_now()
    {
        var yesterday = Samples.Now.AddDays(-1);

        var heardNow = Alive.CheckDeadline(yesterday, Timeout).Next;

        heardNow.HeardAt.Should().Be(yesterday);
        heardNow.Lose(yesterday + Timeout, Timeout).Next.Alive.Should().BeFalse();
    }

    [Fact]
    public void A_reader_sees_no_last_seen_in_the_future() =>
        Alive.AsOf(Samples.Now.AddSeconds(-100), Timeout).LastSeen.Should().Be(Samples.Second - 100);

    [Property]
    public bool Who_is_shown_as_not_alive_is_who_is_lost(int silentMilliseconds, bool told)
    {
        var now = Samples.Now.AddMilliseconds(silentMilliseconds);
        var agent = Alive with { Alive = told };

        return agent.AsOf(now, Timeout).Alive == agent.Lose(now, Timeout).Next.Alive;
    }

    private static void ShouldStay(Agent agent, DateTimeOffset now)
    {
        var decision = agent.Lose(now, Timeout);

        decision.IsReplay.Should().BeTrue();
        decision.Next.Should().BeSameAs(agent);
        decision.Events.Should().BeEmpty();
    }
}
