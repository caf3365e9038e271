using System.Globalization;
using Dbos.Api.Tests.Support;

namespace Dbos.Api.Tests.Moves;

/// <summary>
/// schema-2.jsonl.gz is an export by the last DBOS of schema version 2. It holds what <see cref="Import"/> expects. Its leases have
/// expired by now, and its ended tasks may be purged as soon as they are served: the report of the import counts them before.
/// </summary>
public sealed class OlderExportTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(StoreKind.Redis)]
    [InlineData(StoreKind.Embedded)]
    public async Task An_export_of_the_schema_before_is_imported(StoreKind kind)
    {
        await using var dbos = await Deployment.Start(kind);
        await dbos.Server.Kill();
        var settings = new Dictionary<string, string>(dbos.Settings) { ["PORT"] = FreePort.Find().ToString(CultureInfo.InvariantCulture) };

        var told = await Import(settings);

        string[] expected =
        [
            "agent 1", "module_state 2", "result 2", "task cancelled 1", "task completed 1", "task failed 1", "task inflight 1",
            "task pending 4", "counter 6", "event 26", "refusal 1", "mark 1",
        ];
        foreach (var kept in expected)
        {
            var (name, count) = (kept[..kept.LastIndexOf(' ')], kept[(kept.LastIndexOf(' ') + 1)..]);
            told.Should().MatchRegex($@"(?m)^{name} +{count} +{count}\s*$");
        }

        await using var server = await DbosServer.Start(settings);
        await ShouldHoldAll(server.Client);
        await ShouldGoOn(server.Client);
    }

    private static async Task ShouldHoldAll(DBOS.DBOSClient client)
    {
        var agent = (await client.GetAgentAsync(new GetAgentRequest { AgentId = Requests.Agent })).Agent;
        (agent.Hostname, agent.TotalHeartbeats, agent.Config["mode"]).Should().Be(("host-1", 4, "fast"));
        (await client.ListModuleStatesAsync(new ListModuleStatesRequest())).States.Select(state => (state.RequestId, state.State, state.Version))
            .Should().BeEquivalentTo([("request-1", "completed", 2L), (string.Empty, "running", 1L)]);
        (await client.ListResultsAsync(new ListResultsRequest { AgentId = Requests.Agent })).Results
            .Select(result => (result.Id, result.Data.ToStringUtf8())).Should().Equal(("request-2", "{}"), ("request-1", "measured"));
        var dead = (await client.ListDeadLetterTasksAsync(new ListDeadLetterTasksRequest())).Tasks.Should().ContainSingle().Subject;
        (dead.Id, dead.DeadLetterReason, dead.LastError, dead.DeliveryCount, dead.LeaseToken).Should().Be(("dead", "max_retries", "no route", 4L, 4L));
        dead.History.Select(failure => failure.LeaseToken).Should().Equal(1, 2, 3, 4);
        var events = await client.ReadEvents();
        events.Where(told => told.Type == "task_nacked" && told["task_id"] == "dead").Should().HaveCount(4);
        events.Where(told => told.Type == "result_stored" && told["request_id"] == "request-1").Should().ContainSingle();
        (await client.Total("delivered")).Should().Be(7);
    }

    private static async Task ShouldGoOn(DBOS.DBOSClient client)
    {
        (await client.Take("agent-2")).Select(task => task.Id).Should().Equal("pending-3", "pending-2", "pending-1", "pending-0");
        (await client.StoreResultAsync(Requests.Result("request-2"))).Duplicate.Should().BeTrue();
        (await client.SetModuleStateAsync(Requests.State("request-1", "completed"))).Duplicate.Should().BeTrue();
        (await client.ScheduleTaskAsync(Requests.Schedule("dead"))).Duplicate.Should().BeTrue();
        (await client.RequeueDeadLetterTasksAsync(new RequeueDeadLetterTasksRequest { TaskIds = { "dead" } })).Requeued.Should().Be(1);
        var revived = (await client.Take(Requests.Agent)).Single(task => task.Id == "dead");
        revived.LeaseToken.Should().BeGreaterThan(4, "a token is never given again");
        using var audit = client.CheckConsistency(new CheckConsistencyRequest());
        while (await audit.Next())
        {
            audit.ResponseStream.Current.Inconsistencies.Should().BeEmpty();
        }
    }

    private static async Task<string> Import(Dictionary<string, string> settings)
    {
        var file = Path.Combine(AppContext.BaseDirectory, "Moves", "schema-2.jsonl.gz");
        await using var process = ChildProcess.Start("dotnet", [ProductFiles.ApiAssembly, "import", file], settings);
        (await process.WaitForExit(Patience)).Should().Be(0, process.Output);
        return process.Output;
    }
}
