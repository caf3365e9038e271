using System.Text;
using Dbos.Domain.ModuleStates;
using Dbos.Domain.Tasks;

namespace Dbos.Application.Tests.Timelines;

public sealed class TimelineTests
{
    private const string Request = "request-1";

    private static readonly MeasurementTask Task = Samples.Dead with
    {
        Id = Request,
        LeaseToken = 3,
        History = [new(1, Samples.Second + 10, TaskFailure.LeaseExpired, "lease 1 expired"), new(2, Samples.Second + 20, TaskFailure.Nack, "no route")],
        EndedAt = Samples.Now.AddSeconds(30),
    };

    private static readonly ModuleState State = Samples.State with { Timestamp = Samples.Second + 5, Version = 2 };

    private static readonly ResultSummary Result = new("agent-1", "unknown", Bytes: 3, ReceivedAt: Samples.Second + 25);

    [Fact]
    public void Without_events_the_records_tell_the_story()
    {
        var timeline = new Timeline(Request, [], Task, [State], [Result]);

        timeline.Entries.Select(entry => (entry.At.ToUnixTimeSeconds() - Samples.Second, entry.Kind, entry.Source, entry.LeaseToken)).Should().Equal(
            (0, "task_scheduled", TimelineSource.Task, 0),
            (5, "module_state_updated", TimelineSource.ModuleState, 0),
            (10, "task_lease_expired", TimelineSource.Task, 1),
            (20, "task_nacked", TimelineSource.Task, 2),
            (25, "result_stored", TimelineSource.Result, 0),
            (30, "task_dead_lettered", TimelineSource.Task, 3));
        timeline.Entries[1].Should().Match<TimelineEntry>(entry => entry.State == "running" && entry.Version == 2);
        timeline.Results.Should().Equal(new StoredResult("agent-1", "unknown", 3, Samples.Now.AddSeconds(25), TimelineSource.Result));
    }

    [Fact]
    public void What_an_event_tells_no_record_tells_again()
    {
        LoggedEvent[] events =
        [
            Told(5_001, "module_state_updated", """ "agent_id":"agent-1","state":"running","version":"2" """),
            Told(1, "task_scheduled", """ "task_id":"request-1" """),
            Told(2_000, "tasks_retrieved", """ "lease_tokens":{"other":7,"request-1":2} """),
            Told(20_000, "task_nacked", """ "lease_token":"2" """),
            Told(30_000, "task_dead_lettered", """ "lease_token":"3" """),
            Told(26_000, "result_stored", """ "agent_id":"agent-2","module_name":"ping","bytes":"12" """),
        ];

        var timeline = new Timeline(Request, events, Task, [State], []);

        timeline.Entries.Select(entry => (entry.At - Samples.Now).TotalMilliseconds).Should().Equal(1, 2_000, 5_001, 10_000, 20_000, 26_000, 30_000);
        timeline.Entries.Where(entry => entry.Source != TimelineSource.Event).Should().ContainSingle().Which.Kind.Should().Be("task_lease_expired");
        timeline.Entries[1].Should().Match<TimelineEntry>(entry => entry.LeaseToken == 2 && entry.Message == "task request-1 delivered");
        timeline.Results.Should().Equal(new StoredResult("agent-2", "ping", 12, Samples.Now.AddSeconds(26), TimelineSource.Event));
    }

    [Fact]
    public async Task Results_of_every_agent_are_told_each_once()
    {
        using var dbos = new SubstitutedDbos();
        StatesAre(dbos, State with { AgentId = "agent-7" });
        var told = Told(26_000, "result_stored", """ "agent_id":"agent-2","module_name":"ping","bytes":"12" """);
        dbos.Events.SearchPartitionOf(default!, default!, default, default).ReturnsForAnyArgs(new EventList([told.Json], Cut: false));
        dbos.Results.FindOfRequest(Request, Arg.Any<CancellationToken>())
            .Returns([Result, Result with { AgentId = "agent-2" }, Result with { AgentId = "agent-3" }]);

        var timeline = (await dbos.Ask(new GetRequestTimeline(Request))).Value;

        timeline.Results.Select(result => (result.AgentId, result.Source)).Should().Equal(
            ("agent-1", TimelineSource.Result), ("agent-3", TimelineSource.Result), ("agent-2", TimelineSource.Event));
    }

    [Fact]
    public async Task A_request_that_only_a_refused_call_named_is_not_found()
    {
        using var dbos = new SubstitutedDbos();
        var refused = Told(1, "result_store_error", """ "request_id":"request-1","code":"Validation" """);
        dbos.Events.SearchPartitionOf(default!, default!, default, default).ReturnsForAnyArgs(new EventList([refused.Json], Cut: false));

        (await dbos.Ask(new GetRequestTimeline(Request))).Refusal!.Code.Should().Be(RefusalCode.NotFound);
    }

    [Fact]
    public async Task A_search_that_was_given_up_says_how_far_it_came()
    {
        using var dbos = new SubstitutedDbos();
        dbos.Events.SearchPartitionOf(default!, default!, default, default).ReturnsForAnyArgs(
            new EventList([], Cut: false) { Next = new EventPlace("0123456789abcdef", [null]), SearchedBackTo = Samples.Now });
        StatesAre(dbos, State);

        var timeline = (await dbos.Ask(new GetRequestTimeline(Request))).Value;

        timeline.SearchedBackTo.Should().Be(Samples.Now);
        await dbos.Events.DidNotReceiveWithAnyArgs().Search(default!, default, default, default);
    }

    [Fact]
    public async Task The_states_of_every_agent_are_told_and_none_that_an_event_tells_of_a_second_time()
    {
        using var dbos = new SubstitutedDbos();
        var told = Told(5_001, "module_state_updated", """ "agent_id":"agent-1","state":"running","version":2 """);
        dbos.Events.SearchPartitionOf(default!, default!, default, default).ReturnsForAnyArgs(new EventList([told.Json], Cut: false));
        dbos.Events.Search(default!, default, default, default).ReturnsForAnyArgs(new EventList([], Cut: false));
        StatesAre(dbos, State with { AgentId = "agent-2" }, State);

        var timeline = (await dbos.Ask(new GetRequestTimeline(Request))).Value;

        timeline.States.Select(state => state.AgentId).Should().Equal("agent-2", "agent-1");
        timeline.Entries.Select(entry => (entry.AgentId, entry.Source, entry.Version)).Should().Equal(
            ("agent-2", TimelineSource.ModuleState, 2), ("agent-1", TimelineSource.Event, 2));
    }

    private static void StatesAre(SubstitutedDbos dbos, params ModuleState[] states) =>
        dbos.States.List(default!, default!, default).ReturnsForAnyArgs(new Page<ModuleState>(states, null));

    private static LoggedEvent Told(int milliseconds, string type, string metadata)
    {
        var at = Samples.Now.AddMilliseconds(milliseconds).ToUnixTimeMilliseconds();
        var json = $$"""{"id":"{{at}}-0-0-0","type":"{{type}}","message":"told","metadata":{ {{metadata}} },"timestamp_ms":{{at}}}""";
        return LoggedEvent.Parse(Encoding.UTF8.GetBytes(json));
    }
}
