using System.Text;
using Dbos.Domain.Agents;
using Dbos.Infrastructure.Agents;

namespace Dbos.Infrastructure.Tests.Agents;

public sealed class AgentDocumentTests
{
    [Fact]
    public void An_agent_of_an_older_export_is_read()
    {
        var agent = AgentDocuments.ReadSchema2(
            Encoding.UTF8.GetBytes(
                """
                {"id":"a1","hostname":"host-1","alive":false,"last_seen":1500000005,"first_seen":1500000000,"config":{"key":"value"},"total_heartbeats":7,"heard_at":"2026-11-01T00:00:01.5+00:00","changes":[{"at":"2026-11-01T00:00:00+00:00","alive":true,"cause":"registered"},{"at":"2026-11-01T00:01:01.5+00:00","alive":false,"cause":"timeout"}]}
                """),
            version: 5);

        (agent.Id, agent.Alive, agent.LastSeen, agent.FirstSeen, agent.Version).Should().Be(("a1", false, 1_500_000_005, 1_500_000_000, 5));
        agent.Config.Steady["key"].RequiredText.Should().Be("value");
        agent.Heartbeats.Should().BeEquivalentTo(HeartbeatCount.First(7, 1_500_000_005));
        agent.HeardAt.Should().Be(new DateTimeOffset(2026, 11, 1, 0, 0, 1, 500, TimeSpan.Zero));
        agent.Changes.Select(change => change.Cause).Should().Equal("registered", "timeout");
    }
}
