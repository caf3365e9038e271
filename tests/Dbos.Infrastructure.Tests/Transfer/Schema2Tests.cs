using System.Text;
using Dbos.Application.Agents;
using Dbos.Application.Events;
using Dbos.Application.ModuleStates;
using Dbos.Application.Pipeline;
using Dbos.Application.Results;
using Dbos.Application.Tasks;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;
using Dbos.Infrastructure.Transfer;
using Dbos.Testing;

namespace Dbos.Infrastructure.Tests.Transfer;

/// <summary>A file that the version before this one exported is imported.</summary>
public abstract class Schema2Tests(IEngine engine) : StoreTests(engine)
{
    [Fact]
    public async Task Everything_of_it_is_found_and_goes_on_where_it_was()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "export.jsonl.gz");
        await Schema2File.Write(file);

        var report = await Dbos.Get<IStoreTransfer>().Import(file);

        report.AreEqual.Should().BeTrue();
        report.After.Should().BeEquivalentTo(new Dictionary<string, long>
        {
            ["agent"] = 1, ["module_state"] = 2, ["result"] = 2, ["task pending"] = 1, ["task inflight"] = 1, ["task completed"] = 1,
            ["task failed"] = 1, ["mark"] = 1, ["counter"] = 1, ["event"] = 2, ["refusal"] = 1,
        });
        await Dbos.Get<IStoreConnection>().Open(None);

        var agent = (await Dbos.Send(new GetAgent("a1"))).Value;
        (agent.Hostname, agent.FirstSeen, agent.Heartbeats.Total, agent.Version).Should().Be(("h", Given.LongAgo, 7, 5));
        var state = (await Dbos.Send(new GetModuleState("r1", string.Empty))).Value;
        (state.State.ToString(), state.Version, state.Details["k"]).Should().Be(("Running", 2, "v"));
        (await Dbos.Send(Given.State(string.Empty, "stopped"))).Value.Version.Should().Be(4);
        (await Dbos.Send(new ListResults("a1", new(0, string.Empty)))).Value.Items.Select(result => Text(result.Data)).Should().Equal("second", "first");
        (await Dbos.Send(Given.Result("r1", data: "first"))).Value.Should().Be(new Written(1, Duplicate: true));
        (await Dbos.Send(new GetQueueStats())).Value.Totals["scheduled"].Should().Be(44);
        (await Dbos.Send(new GetEvents(10, EventFilter.Any, string.Empty))).Value.Events.Select(told => Encoding.UTF8.GetString(told.Span))
            .Should().SatisfyRespectively(
                stopped => stopped.Should().Contain("stopped"),
                newest => newest.Should().Contain("\"newest\""),
                oldest => oldest.Should().Contain("\"oldest\""),
                refused => refused.Should().Contain("\"refused\""));
        await ShouldHoldTasks();
    }

    private async Task ShouldHoldTasks()
    {
        var held = (await Dbos.Send(new GetTask("held"))).Value;
        (held.Status, held.LeaseToken, held.Deliveries, Text(held.Payload)).Should().Be((MeasurementTaskStatus.Inflight, 4, 4, "held work"));
        held.VisibleAt.ToUnixTimeMilliseconds().Should().Be(Schema2File.LeasedUntil);
        (await Dbos.Send(new AckTask("completed", 1))).Value.Duplicate.Should().BeTrue();
        var dead = (await Dbos.Send(new GetTask("dead"))).Value;
        (dead.Status, dead.DeadLetterReason, dead.LastError, dead.Failures).Should().Be((MeasurementTaskStatus.Failed, "max_retries", "no route", 1));
        dead.History.Should().ContainSingle().Which.LeaseToken.Should().Be(2);

        var taken = (await Dbos.Send(Given.Due())).Value.Should().ContainSingle().Subject;
        (taken.Id, taken.Priority, Text(taken.Payload)).Should().Be(("pending", 7, "work"));
        if (Dbos.Partitions == 1)
        {
            taken.LeaseToken.Should().BeGreaterThan(4, "tokens grow beyond those that were given before");
        }

        (await Dbos.Send(new AckTask("held", 4))).Value.Duplicate.Should().BeFalse();
        await foreach (var slice in Dbos.Get<ITaskAudit>().Run(repair: false, new Origin("test", "trace")))
        {
            slice.Inconsistencies.Should().BeEmpty();
        }
    }
}

public sealed class Schema2OnRedis(RedisEngine engine) : Schema2Tests(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class Schema2OnCluster(ClusterEngine engine) : Schema2Tests(engine);

public sealed class Schema2OnSqlite(SqliteEngine engine) : Schema2Tests(engine), IClassFixture<SqliteEngine>;
