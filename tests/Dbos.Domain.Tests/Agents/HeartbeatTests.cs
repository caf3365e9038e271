using Dbos.Domain.Agents;
using Dbos.Domain.Audit;
using FsCheck.Xunit;

namespace Dbos.Domain.Tests.Agents;

public sealed class HeartbeatTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);
    private static readonly Agent Known = Agent.Hear(null, Samples.Heartbeat, Samples.Now, Timeout).Next;
    private static readonly DateTimeOffset Later = Samples.Now.AddSeconds(5);

    [Fact]
    public void The_first_heartbeat_registers_the_agent_as_it_tells()
    {
        var decision = Agent.Hear(null, Samples.Heartbeat, Samples.Now, Timeout);

        decision.Next.Should().BeEquivalentTo(
            Samples.Heartbeat,
            told => told.Excluding(heartbeat => heartbeat.AgentId).Excluding(heartbeat => heartbeat.Config).Excluding(heartbeat => heartbeat.TotalHeartbeats));
        decision.Next.Should().BeEquivalentTo(new { Id = "agent-1", HeardAt = Samples.Now, Version = 1, Heartbeats = new { Total = 10 } });
        decision.Next.Config.Values.Should().BeEquivalentTo(Samples.Heartbeat.Config);
        var told = decision.Events.Should().ContainSingle().Subject;
        told.Type.Should().Be("agent_registered");
        told.Message.Should().Be("agent agent-1 registered");
        told.Metadata.Should().Equal(("agent_id", "agent-1"));
    }

    [Fact]
    public void Times_that_the_first_heartbeat_does_not_tell_are_now()
    {
        var agent = Agent.Hear(null, Samples.Heartbeat with { LastSeen = 0, FirstSeen = 0 }, Later, Timeout).Next;

        agent.LastSeen.Should().Be(Samples.Second + 5);
        agent.FirstSeen.Should().Be(Samples.Second + 5);
    }

    [Theory]
    [InlineData(Samples.Second - 1_050, Samples.Second - 1_050)]
    [InlineData(Samples.Second - 950, Samples.Second - 1_000)]
    [InlineData(0, Samples.Second - 1_000)]
    public void First_seen_never_moves_forward(long told, long expected) =>
        Heard(Samples.Heartbeat with { FirstSeen = told }).FirstSeen.Should().Be(expected);

    [Theory]
    [InlineData(Samples.Second - 50, Samples.Second)]
    [InlineData(Samples.Second + 3, Samples.Second + 3)]
    [InlineData(Samples.Second + 50, Samples.Second + 5)]
    [InlineData(0, Samples.Second + 5)]
    public void Last_seen_never_moves_back_nor_beyond_now_and_is_now_when_not_told(long told, long expected) =>
        Heard(Samples.Heartbeat with { LastSeen = told }).LastSeen.Should().Be(expected);

    [Fact]
    public void The_first_heartbeat_tells_no_time_in_the_future()
    {
        var ahead = Samples.Heartbeat with { LastSeen = Samples.Second + 86_400, FirstSeen = Samples.Second + 86_400 };

        var agent = Agent.Hear(null, ahead, Samples.Now, Timeout).Next;

        (agent.LastSeen, agent.FirstSeen).Should().Be((Samples.Second, Samples.Second));
    }

    [Fact]
    public void What_is_empty_was_not_told_and_keeps_what_is_known()
    {
        var decision = Agent.Hear(Known, Samples.Heartbeat with { Hostname = string.Empty, Config = Config() }, Later, Timeout);

        decision.Next.Hostname.Should().Be("host-1");
        decision.Next.Config.Should().BeSameAs(Known.Config);
        decision.Events.Should().BeEmpty();
    }

    [Fact]
    public void An_instant_that_lies_in_the_future_since_the_clock_was_set_back_counts_as_now()
    {
        var yesterday = Samples.Now.AddDays(-1);

        var decision = Agent.Hear(Known, Samples.Heartbeat with { LastSeen = 0, FirstSeen = 0 }, yesterday, Timeout);

        decision.Next.HeardAt.Should().Be(yesterday);
        decision.Next.LastSeen.Should().Be(yesterday.ToUnixTimeSeconds());
        decision.Events.Should().BeEmpty();
    }

    [Fact]
    public void A_heartbeat_that_tells_nothing_new_is_written_but_no_event()
    {
        var config = Samples.Heartbeat.Config.Reverse().ToDictionary(entry => entry.Key, entry => entry.Value.WithoutText());

        var decision = Agent.Hear(Known, Samples.Heartbeat with { Config = config, TotalHeartbeats = 11 }, Later, Timeout);

        decision.IsReplay.Should().BeFalse();
        decision.Next.Version.Should().Be(2);
        decision.Next.HeardAt.Should().Be(Later);
        decision.Next.Config.Steady.Should().BeSameAs(Known.Config.Steady, "it needs not be written");
        decision.Next.Changes.Should().BeSameAs(Known.Changes);
        decision.Events.Should().BeEmpty();
    }

    [Fact]
    public void A_changed_host_is_told_with_both_names()
    {
        var told = EventOf(Known, Samples.Heartbeat with { Hostname = "host-2" });

        told.Type.Should().Be("agent_changed");
        told.Message.Should().Be("agent agent-1 moved to another host");
        told.Metadata.Should().Equal(("agent_id", "agent-1"), ("hostname", "host-2"), ("previous_hostname", "host-1"));
    }

    public static TheoryData<Dictionary<string, ConfigValue>, string> ChangedConfigs => new()
    {
        { Config(("interval", "secret"), ("region", "north")), "interval" },
        { Config(("interval", "5")), "region" },
        { Config(("interval", "5"), ("region", "north"), ("key", "secret")), "key" },
        { Config(("zone", "secret"), ("area", "secret")), "area, interval, region, zone" },
    };

    [Theory]
    [MemberData(nameof(ChangedConfigs))]
    public void A_changed_config_is_told_by_its_keys_never_its_values(Dictionary<string, ConfigValue> config, string keys)
    {
        var told = EventOf(Known, Samples.Heartbeat with { Config = config });

        told.Type.Should().Be("agent_changed");
        told.MetadataOf("config_keys").Should().Be(keys);
        told.ToString().Should().NotContain("secret");
    }

    [Fact]
    public void Changes_of_host_config_and_life_are_told_each()
    {
        var heartbeat = Samples.Heartbeat with { Hostname = "host-2", Config = Config(("interval", "6")), Alive = false };

        Agent.Hear(Known, heartbeat, Later, Timeout).Events.Select(told => told.Type)
            .Should().Equal(EventTypes.AgentLost, EventTypes.AgentChanged, EventTypes.AgentChanged);
    }

    [Fact]
    public void An_agent_reported_as_not_alive_is_lost_once_and_back_once()
    {
        var dead = Samples.Heartbeat with { Alive = false };
        var lost = Agent.Hear(Known, dead, Later, Timeout);

        lost.Next.Alive.Should().BeFalse();
        lost.Events.Should().ContainSingle().Which.MetadataOf("cause").Should().Be("reported");
        Agent.Hear(lost.Next, dead, Later, Timeout).Events.Should().BeEmpty();
        EventOf(lost.Next, Samples.Heartbeat).Type.Should().Be("agent_back");
    }

    [Property]
    public bool Merging_never_takes_back(Told[] walk)
    {
        var steps = walk.Aggregate(new List<Agent> { Known }, (agents, told) => [.. agents, Heard(agents[^1], told)]);
        return steps.Zip(steps.Skip(1)).All(step =>
            step.Second.FirstSeen <= step.First.FirstSeen
            && step.Second.LastSeen >= step.First.LastSeen
            && step.Second.Heartbeats.Total >= step.First.Heartbeats.Total
            && step.Second.Hostname.Length > 0
            && step.Second.Config.Steady.Count > 0
            && step.Second.Version == step.First.Version + 1);
    }

    public sealed record Told(ushort FirstSeen, ushort LastSeen, ushort Total, bool Named, bool Configured, ushort After);

    private static Agent Heard(Agent known, Told told) => Agent.Hear(
        known,
        Samples.Heartbeat with
        {
            FirstSeen = told.FirstSeen,
            LastSeen = Samples.Second + told.LastSeen,
            TotalHeartbeats = told.Total,
            Hostname = told.Named ? "host-2" : string.Empty,
            Config = told.Configured ? Config(("interval", "6")) : Config(),
        },
        Samples.Now.AddSeconds(ushort.MaxValue + told.After),
        Timeout).Next;

    private static Agent Heard(Heartbeat heartbeat) => Agent.Hear(Known, heartbeat, Later, Timeout).Next;

    private static AuditEvent EventOf(Agent known, Heartbeat heartbeat) =>
        Agent.Hear(known, heartbeat, Later, Timeout).Events.Should().ContainSingle().Subject;

    private static Dictionary<string, ConfigValue> Config(params (string Key, string Text)[] entries) => Samples.Config(entries);
}
