using Dbos.Api.Tests.Support;

namespace Dbos.Api.Tests.Timelines;

public abstract class RequestTimelineTests(Deployment dbos)
{
    private readonly string request = Requests.NewId("request");
    private readonly string agent = Requests.NewId("agent");

    [Fact]
    public async Task A_request_is_told_from_its_scheduling_to_the_last_result_in_order()
    {
        var agents = Enumerable.Range(0, 5).Select(_ => Requests.NewId("agent")).ToArray();
        await dbos.Client.ScheduleTaskAsync(new ScheduleTaskRequest { Task = Requests.Task(request, agent) });
        var first = await Take();
        await Fail(first);
        var second = await Take();
        await dbos.Client.SetModuleStateAsync(Requests.State(request));
        await dbos.Client.SetModuleStateAsync(Requests.State(request, "created"));
        await dbos.Client.SetModuleStateAsync(Requests.State(request, "completed", 1_700_000_001));
        var other = Requests.State(request, "error");
        other.State.AgentId = agents[0];
        await dbos.Client.SetModuleStateAsync(other);
        foreach (var measuring in agents)
        {
            await dbos.Client.StoreResultAsync(Requests.Result(request, measuring, "1234"));
        }

        await dbos.Client.AckTaskAsync(new AckTaskRequest { TaskId = request, LeaseToken = second.LeaseToken });

        var timeline = await dbos.Servers[^1].Client.GetRequestTimelineAsync(new GetRequestTimelineRequest { RequestId = request });

        timeline.Found.Should().BeTrue(timeline.Error);
        timeline.Entries.Select(entry => (entry.Kind, entry.AgentId, entry.LeaseToken, entry.State, entry.Version)).Should().Equal(
            ("task_scheduled", agent, 0, string.Empty, 0),
            ("tasks_retrieved", agent, first.LeaseToken, string.Empty, 0),
            ("task_nacked", agent, first.LeaseToken, string.Empty, 0),
            ("tasks_retrieved", agent, second.LeaseToken, string.Empty, 0),
            ("module_state_updated", Requests.Agent, 0, "running", 1),
            ("module_state_error", Requests.Agent, 0, string.Empty, 0),
            ("module_state_updated", Requests.Agent, 0, "completed", 2),
            ("module_state_updated", agents[0], 0, "error", 1),
            ("result_stored", agents[0], 0, string.Empty, 0),
            ("result_stored", agents[1], 0, string.Empty, 0),
            ("result_stored", agents[2], 0, string.Empty, 0),
            ("result_stored", agents[3], 0, string.Empty, 0),
            ("result_stored", agents[4], 0, string.Empty, 0),
            ("task_acknowledged", agent, second.LeaseToken, string.Empty, 0));
        timeline.Entries.Should().OnlyContain(entry => entry.Source == TimelineSource.Event && entry.Event.Length > 0)
            .And.BeInAscendingOrder(entry => entry.TimestampMs);
        timeline.Results.Select(result => (result.AgentId, result.Bytes)).Should().Equal(agents.Select(measuring => (measuring, 4L)));
        timeline.Task.Should().Match<WireTask>(task => task.Status == "completed" && task.Payload.IsEmpty && task.DeliveryCount == 2);
        timeline.States.Select(state => (state.AgentId, state.State, state.Version)).Should().Equal((agents[0], "error", 1), (Requests.Agent, "completed", 2));
        timeline.State.Should().Be(timeline.States[0]);
        timeline.SearchedBackTo.Should().Be(0);
    }

    [Fact]
    public async Task Of_an_unknown_request_nothing_is_found()
    {
        var timeline = await dbos.Client.GetRequestTimelineAsync(new GetRequestTimelineRequest { RequestId = request });

        timeline.Should().Be(new GetRequestTimelineResponse { Error = $"nothing is known of request '{request}'", Code = ErrorCode.NotFound });
    }

    private async Task<WireTask> Take() =>
        (await dbos.Client.Take(agent)).Should().ContainSingle().Subject;

    private async Task Fail(WireTask task) => await dbos.Client.NackTaskAsync(
        new NackTaskRequest { TaskId = task.Id, LeaseToken = task.LeaseToken, Reason = "no route", RetryAtOnce = true });
}

[Collection(SharedRedis.Name)]
public sealed class RequestTimelineOnRedis(SharedRedis dbos) : RequestTimelineTests(dbos);

[Collection(SharedCluster.Name)]
public sealed class RequestTimelineOnCluster(SharedCluster shared) : RequestTimelineTests(shared.Dbos);

[Collection(SharedEmbedded.Name)]
public sealed class RequestTimelineOnEmbedded(SharedEmbedded dbos) : RequestTimelineTests(dbos);
