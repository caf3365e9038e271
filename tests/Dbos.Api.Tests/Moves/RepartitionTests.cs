using System.Globalization;
using System.Text.RegularExpressions;
using Dbos.Api.Tests.Support;

namespace Dbos.Api.Tests.Moves;

/// <summary>build/repartition as an operator runs it, on a Redis that DBOS served before and serves after.</summary>
public sealed partial class RepartitionTests : IAsyncLifetime
{
    private const int From = 16;
    private const int To = 5;
    private const string Layout = "{dbos:0}:layout";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string folder = Directory.CreateTempSubdirectory("dbos-test-").FullName;
    private Deployment dbos = null!;

    /// <summary>No agent is lost while a store is moved, which would be another event.</summary>
    public async Task InitializeAsync() => dbos = await Deployment.Start(StoreKind.Redis, servers: 1, ("AGENT_TIMEOUT_SECONDS", "3600"), ("PARTITIONS", Number(From)));

    public async Task DisposeAsync()
    {
        await dbos.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_store_is_moved_to_another_number_of_partitions_and_back_and_nobody_can_tell()
    {
        await Fill(dbos.Client);
        var before = await Snapshot(dbos.Client);
        await dbos.Server.Kill();

        var there = await Repartition(From, To);
        there.Should().MatchRegex(@"task failed +1 +1\n").And.MatchRegex(@"agent +1 +1\n").And.Contain($"moved from {From} to {To} partitions");
        await using (var moved = await Serve(To))
        {
            (await Snapshot(moved.Client)).Should().Equal(before);
        }

        await Repartition(To, From);
        await using var back = await Serve(From);

        (await Snapshot(back.Client)).Should().Equal(before);
        Directory.GetFiles(folder, "*.jsonl.gz").Should().HaveCount(2, "the files stay as backups");
        await ShouldGoOn(back.Client);
    }

    [Fact]
    public async Task While_it_is_served_nothing_is_moved()
    {
        await Fill(dbos.Client);

        var told = await Repartition(From, To, expectedExit: 1);

        told.Should().Contain("is served by another DBOS: stop every DBOS that serves it");
        await ShouldGoOn(dbos.Client);
    }

    [Fact]
    public async Task Whoever_could_not_be_seen_while_it_was_moved_stops_when_it_is_back()
    {
        await Fill(dbos.Client);
        dbos.Server.Process.Signal(UnixSignal.Stop);
        await Repartition(From, To);

        dbos.Server.Process.Signal(UnixSignal.Continue);

        (await dbos.Server.Process.WaitForExit(Patience)).Should().Be(1);
        dbos.Server.Process.Output.Should().Contain($"has {To} partitions, not {From}: unset PARTITIONS or set it to {To}");
    }

    [Fact]
    public async Task Interrupted_after_the_store_was_cleared_it_goes_on_with_the_file_and_until_then_nobody_serves()
    {
        await Fill(dbos.Client);
        var before = await Snapshot(dbos.Client);
        await dbos.Server.Kill();
        var file = Path.Combine(folder, $"dbos-{From}-to-{To}.jsonl.gz");
        await Run("dotnet", [ProductFiles.ApiAssembly, "export", file], Settings(From));
        await Run("dotnet", [ProductFiles.ApiAssembly, "clear", file], Settings(From));

        var refused = await Run("dotnet", [ProductFiles.ApiAssembly], Settings(From), expectedExit: 1);
        var told = await Repartition(From, To);

        refused.Should().Contain("is being moved and not whole: end it with the command 'import FILE'");
        told.Should().Contain("an earlier run was interrupted: going on with");
        await using var moved = await Serve(To);
        (await Snapshot(moved.Client)).Should().Equal(before);
    }

    [Fact]
    public async Task A_store_of_an_older_schema_is_refused_and_left_as_it_is()
    {
        await Fill(dbos.Client);
        var before = await Snapshot(dbos.Client);
        await dbos.Server.Kill();
        var current = await dbos.Redis.Ask("HGET", Layout, "schema");
        await dbos.Redis.Ask("HSET", Layout, "schema", "2");

        string[] refused =
        [
            await Run("dotnet", [ProductFiles.ApiAssembly], Settings(From), expectedExit: 1),
            await Run("dotnet", [ProductFiles.ApiAssembly, "export", Path.Combine(folder, "older.jsonl.gz")], Settings(From), expectedExit: 1),
            await Repartition(From, To, expectedExit: 1),
        ];

        refused.Should().AllSatisfy(told => told.Should().Contain(
            $"has schema version 2, older than this DBOS's {current}: run 'export FILE' and 'clear FILE' with the DBOS that wrote it, then 'import FILE' with this one"));
        await dbos.Redis.Ask("HSET", Layout, "schema", current);
        await using var again = await Serve(From);
        (await Snapshot(again.Client)).Should().Equal(before);
    }

    private static async Task Fill(DBOS.DBOSClient client)
    {
        (await client.RegisterAgentAsync(Requests.Heartbeat(Requests.Agent))).Success.Should().BeTrue();
        (await client.RegisterAgentAsync(Requests.Heartbeat(string.Empty))).Success.Should().BeFalse();
        (await client.SetModuleStateAsync(Requests.State("request-1"))).Success.Should().BeTrue();
        (await client.SetModuleStateAsync(Requests.State("request-1", "completed"))).Success.Should().BeTrue();
        (await client.SetModuleStateAsync(Requests.State(string.Empty))).Success.Should().BeTrue();
        (await client.StoreResultAsync(Requests.Result("request-1", data: "measured"))).Success.Should().BeTrue();
        (await client.StoreResultAsync(Requests.Result("request-2"))).Success.Should().BeTrue();
        string[] ids = ["completed", "dead", "cancelled", "held"];
        await client.Schedule([.. ids.Select(id => Requests.Task(id)), .. Enumerable.Range(0, 40).Select(Pending)]);
        var held = (await client.Take(Requests.Agent)).ToDictionary(task => task.Id);
        held.Should().HaveCount(ids.Length);
        (await client.Ack(held["completed"])).Success.Should().BeTrue();
        (await client.CancelTaskAsync(new CancelTaskRequest { TaskId = "cancelled", Reason = "enough" })).Success.Should().BeTrue();
        var dead = held["dead"];
        for (var failure = 1; failure <= 4; failure++)
        {
            var nack = new NackTaskRequest { TaskId = dead.Id, LeaseToken = dead.LeaseToken, RetryAtOnce = true, Reason = "no route" };
            (await client.NackTaskAsync(nack)).Success.Should().BeTrue();
            var again = await client.Take(Requests.Agent);
            again.Should().HaveCount(failure < 4 ? 1 : 0);
            dead = again.SingleOrDefault() ?? dead;
        }
    }

    private static WireTask Pending(int number) =>
        Requests.Task(string.Create(CultureInfo.InvariantCulture, $"pending-{number}"), agentId: $"agent-{2 + (number % 3)}");

    /// <summary>Every list, in its order, and the events, of which ids are of one store alone and those of a moment have no order.</summary>
    private static async Task<IReadOnlyList<string>> Snapshot(DBOS.DBOSClient client)
    {
        var stats = await client.GetQueueStatsAsync(new GetQueueStatsRequest());
        var events = await client.GetEventsAsync(new GetEventsRequest { Limit = Events.All });
        return
        [
            .. (await client.ListAgentsAsync(new ListAgentsRequest())).Agents.Select(agent => $"{agent}"),
            .. (await client.ListModuleStatesAsync(new ListModuleStatesRequest())).States.Select(state => $"{state}"),
            .. (await client.ListResultsAsync(new ListResultsRequest { AgentId = Requests.Agent })).Results.Select(result => $"{result}"),
            .. (await client.ListTasksAsync(new ListTasksRequest())).Tasks.Select(task => $"{task}"),
            .. (await client.ListDeadLetterTasksAsync(new ListDeadLetterTasksRequest())).Tasks.Select(task => $"dead {task}"),
            .. stats.Totals.OrderBy(total => total.Key, StringComparer.Ordinal).Select(total => $"{total.Key} {total.Value}"),
            .. events.Events.Select(told => EventId().Replace(told.ToStringUtf8(), string.Empty)).Order(StringComparer.Ordinal),
        ];
    }

    /// <summary>What was done is a replay, what is held is held, what waits is delivered.</summary>
    private static async Task ShouldGoOn(DBOS.DBOSClient client)
    {
        (await client.StoreResultAsync(Requests.Result("request-2"))).Duplicate.Should().BeTrue();
        (await client.ScheduleTaskAsync(Requests.Schedule("completed"))).Duplicate.Should().BeTrue();
        (await client.SetModuleStateAsync(Requests.State("request-1", "completed"))).Duplicate.Should().BeTrue();
        (await client.Ack(await client.FindTask("held"))).Success.Should().BeTrue();
        var dead = await client.FindTask("dead");
        (await client.RequeueDeadLetterTasksAsync(new RequeueDeadLetterTasksRequest { TaskIds = { dead.Id } })).Requeued.Should().Be(1);
        var revived = (await client.Take(Requests.Agent)).Should().ContainSingle().Subject;
        (revived.Id, revived.DeliveryCount).Should().Be((dead.Id, dead.DeliveryCount + 1));
        revived.LeaseToken.Should().BeGreaterThan(dead.LeaseToken, "tokens go on growing");
        (await client.Take("agent-2")).Select(task => task.Id).Should().OnlyHaveUniqueItems().And.HaveCount(14);
        using var audit = client.CheckConsistency(new CheckConsistencyRequest());
        while (await audit.Next())
        {
            audit.ResponseStream.Current.Inconsistencies.Should().BeEmpty();
        }
    }

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static async Task<string> Run(string file, string[] arguments, Dictionary<string, string> settings, int expectedExit = 0)
    {
        await using var process = ChildProcess.Start(file, arguments, settings);
        (await process.WaitForExit(Patience)).Should().Be(expectedExit, process.Output);
        return process.Output;
    }

    private Task<string> Repartition(int from, int to, int expectedExit = 0) => Run(
        Path.Combine(ProductFiles.Repository, "build", "repartition"),
        [Number(from), Number(to)],
        new(dbos.Settings) { ["BACKUP_DIR"] = folder, ["DBOS"] = $"dotnet {ProductFiles.ApiAssembly}" },
        expectedExit);

    private Task<DbosServer> Serve(int partitions) => DbosServer.Start(Settings(partitions));

    private Dictionary<string, string> Settings(int partitions) => new(dbos.Settings) { ["PARTITIONS"] = Number(partitions), ["PORT"] = Number(FreePort.Find()) };

    [GeneratedRegex("^{\"id\":\"[0-9-]+\",")]
    private static partial Regex EventId();
}
