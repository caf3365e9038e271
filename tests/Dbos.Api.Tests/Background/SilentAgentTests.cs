using System.Diagnostics;
using Dbos.Api.Tests.Support;

namespace Dbos.Api.Tests.Background;

[Collection(Undisturbed.Name)]
public sealed class SilentAgentTests
{
    private const int Agents = 20;
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(2 + 2);

    /// <summary>All at once, as each waits for seconds.</summary>
    [Fact]
    public Task A_silent_agent_is_lost_once_and_back_with_its_next_heartbeat() => Task.WhenAll(
        ShouldBeLostOnce(StoreKind.Redis, servers: 2), ShouldBeLostOnce(StoreKind.Embedded, servers: 1));

    [Fact]
    public Task A_deadline_set_under_a_shorter_timeout_does_not_keep_the_processor_busy() =>
        Task.WhenAll(ShouldBeIdle(StoreKind.Redis), ShouldBeIdle(StoreKind.Embedded));

    private static async Task ShouldBeLostOnce(StoreKind kind, int servers)
    {
        await using var dbos = await Deployment.Start(kind, servers, ("AGENT_TIMEOUT_SECONDS", "2"));
        var ids = Enumerable.Range(0, Agents).Select(_ => Requests.NewId("agent")).ToArray();
        await Beat(dbos, ids);
        (await AliveOf(dbos)).Should().HaveCount(Agents).And.OnlyContain(alive => alive);

        await Eventually.True(async () => (await AliveOf(dbos)).All(alive => !alive), LongestSilence, "all are lost");
        await Eventually.True(async () => (await Told(dbos, "agent_lost")).Length >= Agents, LongestSilence, "the log tells of all");
        (await Listed(dbos, AgentFilter.Lost)).Should().BeEquivalentTo(ids);
        await Beat(dbos, ids);

        (await AliveOf(dbos)).Should().OnlyContain(alive => alive);
        foreach (var type in (string[])["agent_registered", "agent_lost", "agent_back"])
        {
            (await Told(dbos, type)).Should().BeEquivalentTo(ids, $"each has one {type}");
        }

        var history = await dbos.Client.GetAgentHistoryAsync(new GetAgentHistoryRequest { AgentId = ids[0], WindowSeconds = 3600 });
        history.Periods.Select(period => (period.Connected, period.Cause)).Should().Equal((true, "registered"), (false, "timeout"), (true, "heard"));
        (history.Periods[1].FromMs - history.Periods[0].FromMs).Should().BeInRange(2_000, 2_500, "it was heard once, and is lost 2 s later");
        history.Uptime.Should().BeInRange(0.1, 0.99);
    }

    private static async Task ShouldBeIdle(StoreKind kind)
    {
        await using var dbos = await Deployment.Start(kind, settings: ("AGENT_TIMEOUT_SECONDS", "1"));
        await Beat(dbos, [Requests.Agent]);
        await dbos.Server.Kill();
        await using var patient = await DbosServer.Start(new Dictionary<string, string>(dbos.Settings) { ["AGENT_TIMEOUT_SECONDS"] = "3600" });
        using var process = Process.GetProcessById(patient.Process.Id);
        await Task.Delay(TimeSpan.FromSeconds(2));

        var before = process.TotalProcessorTime;
        await Task.Delay(TimeSpan.FromSeconds(2));
        process.Refresh();

        (process.TotalProcessorTime - before).Should().BeLessThan(TimeSpan.FromSeconds(0.6), "there is nothing to do");
        (await patient.Client.GetAgentAsync(new GetAgentRequest { AgentId = Requests.Agent })).Agent.Alive.Should().BeTrue();
    }

    private static async Task Beat(Deployment dbos, string[] ids)
    {
        var replies = await Task.WhenAll(ids.Select(id => dbos.Client.RegisterAgentAsync(Requests.Heartbeat(id)).ResponseAsync));
        replies.Should().OnlyContain(reply => reply.Success);
    }

    private static async Task<bool[]> AliveOf(Deployment dbos) =>
        [.. (await dbos.Client.ListAgentsAsync(new ListAgentsRequest())).Agents.Select(agent => agent.Alive)];

    private static async Task<string[]> Listed(Deployment dbos, AgentFilter filter) =>
        [.. (await dbos.Client.ListAgentsAsync(new ListAgentsRequest { Filter = filter })).Agents.Select(agent => agent.Id)];

    private static async Task<string[]> Told(Deployment dbos, string type) =>
        [.. (await dbos.Client.ReadEvents()).Where(told => told.Type == type).Select(told => told["agent_id"])];
}
