using Dbos.Domain.Agents;

namespace Dbos.Domain.Tests.Agents;

public sealed class AgentHistoryTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);
    private static readonly Agent First = Agent.Hear(null, Samples.Heartbeat, Samples.Now, Timeout).Next;

    /// <summary>Heard at 0 and 50, silent, heard again at 300, and reported as gone at 350.</summary>
    private static readonly Agent Wavering = Hear(Hear(Hear(First, 50).Lose(At(170), Timeout).Next, 300), 350, alive: false);

    [Fact]
    public void Connected_and_lost_periods_follow_each_other_with_their_causes() =>
        AgentHistory.Of(Wavering, window: null, At(500), Timeout).Should().BeEquivalentTo(new
        {
            Periods = new AgentPeriod[]
            {
                new(true, At(0), At(110), "registered"),
                new(false, At(110), At(300), "timeout"),
                new(true, At(300), At(350), "heard"),
                new(false, At(350), null, "reported"),
            },
            From = At(0),
            Until = At(500),
            KnownSince = At(0),
            Uptime = (110 + 50) / 500.0,
        });

    [Theory]
    [InlineData(100, 1, 0.0)]
    [InlineData(150, 1, 0.0)]
    [InlineData(180, 2, 30 / 180.0)]
    [InlineData(400, 4, 60 / 400.0)]
    [InlineData(10_000, 4, 160 / 500.0)]
    public void Uptime_is_of_the_window_as_far_as_it_is_known(int seconds, int periods, double uptime)
    {
        var history = AgentHistory.Of(Wavering, TimeSpan.FromSeconds(seconds), At(500), Timeout);

        history.Periods.Should().HaveCount(periods);
        history.From.Should().Be(At(Math.Max(0, 500 - seconds)));
        history.Uptime.Should().BeApproximately(uptime, 1e-9);
    }

    [Fact]
    public void Silence_that_was_not_swept_yet_is_told()
    {
        AgentHistory.Of(First, null, At(59), Timeout).Periods.Should().Equal(new AgentPeriod(true, At(0), null, "registered"));

        AgentHistory.Of(First, null, At(61), Timeout).Periods.Should().Equal(
            new AgentPeriod(true, At(0), At(60), "registered"), new AgentPeriod(false, At(60), null, "timeout"));
    }

    [Fact]
    public void Silence_that_was_never_swept_is_told_after_the_next_heartbeat_too()
    {
        var history = AgentHistory.Of(Hear(First, 100), null, At(110), Timeout);

        history.Periods.Should().Equal(
            new AgentPeriod(true, At(0), At(60), "registered"), new AgentPeriod(false, At(60), At(100), "timeout"), new AgentPeriod(true, At(100), null, "heard"));
    }

    [Fact]
    public void Of_many_changes_the_latest_hundred_are_kept_and_it_is_said_since_when()
    {
        var agent = First;
        for (var second = 1; second <= 250; second++)
        {
            agent = Hear(agent, second, alive: second % 2 == 0);
        }

        var history = AgentHistory.Of(agent, TimeSpan.FromDays(1), At(250), Timeout);

        history.Periods.Should().HaveCount(100);
        history.KnownSince.Should().Be(At(151));
        history.From.Should().Be(At(151));
    }

    [Fact]
    public void Of_an_agent_stored_before_changes_were_kept_the_history_begins_with_the_next_heartbeat()
    {
        var old = First with { Changes = [] };

        AgentHistory.Of(old, null, At(10), Timeout).KnownSince.Should().Be(At(0));
        AgentHistory.Of(Hear(Hear(old, 20), 30), null, At(40), Timeout).Should().BeEquivalentTo(new { KnownSince = At(20), Uptime = 1.0 });
    }

    [Fact]
    public void An_agent_that_was_just_registered_is_up_whatever_the_window() =>
        AgentHistory.Of(First, TimeSpan.FromDays(1), At(0), Timeout).Uptime.Should().Be(1);

    private static DateTimeOffset At(int seconds) => Samples.Now.AddSeconds(seconds);

    private static Agent Hear(Agent agent, int seconds, bool alive = true) =>
        Agent.Hear(agent, Samples.Heartbeat with { Alive = alive }, At(seconds), Timeout).Next;
}
