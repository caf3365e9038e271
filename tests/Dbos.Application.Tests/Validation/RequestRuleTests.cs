namespace Dbos.Application.Tests.Validation;

/// <summary>What is neither an id nor a number.</summary>
public sealed class RequestRuleTests
{
    public static TheoryData<object> GoodRequests =>
    [
        new RegisterAgent(Samples.Heartbeat),
        new GetAgent("agent-1"),
        new ListAgents(AgentFilter.All, Samples.WholeList),
        new SetModuleState(Samples.Report, null),
        new GetModuleState("request-1"),
        new ListModuleStates(string.Empty, string.Empty, Samples.WholeList),
        new StoreResult(Samples.Result),
        new GetResult("agent-1", "request-1"),
        new ListResults("agent-1", Samples.WholeList),
        new ScheduleTask(Samples.NewTask),
        new ScheduleTask(Samples.NewTask with { Status = "pending" }),
        new GetTask("task-1"),
        new ListDueTasks(TaskFilter.Any, 0, 0, 0),
        new AckTask("task-1", 0),
        new NackTask("task-1", 0, false, 0, new string('x', 4096)),
        new NackTask("task-1", 30, false, 0, string.Empty),
        new NackTask("task-1", 0, true, 0, string.Empty),
        new StreamDueTasks(TaskFilter.Any, 0, 0),
        new ExtendTaskLease("task-1", 1, 0),
        new CancelTask("task-1", new string('x', 4096)),
        new DeleteDeadLetterTask("task-1"),
        new ListDeadLetterTasks(TaskFilter.Any, Samples.WholeList),
        new GetQueueStats(),
        new GetEvents(0),
        new GetRequestTimeline("request-1"),
        new GetAgentHistory("agent-1", 0),
        new WatchAgents(),
        new WatchEvents(EventFilter.Any, string.Empty),
        new WatchEvents(EventFilter.Any, "1700000000123-0-0-0"),
        new WatchEvents(EventFilter.Any, new EventPlace("0123456789abcdef", [null, new StreamPosition(7, 0)]).ToString()),
    ];

    [Theory]
    [MemberData(nameof(GoodRequests))]
    public void A_good_request_breaks_no_rule(object request) => Shape.WrongIn(request).Should().BeNull();

    public static TheoryData<object, string> Empty => new()
    {
        { new RegisterAgent(null), "agent" },
        { new SetModuleState(null, null), "state" },
        { new StoreResult(null), "result" },
        { new ScheduleTask(null), "task" },
    };

    [Theory]
    [MemberData(nameof(Empty))]
    public void A_request_without_its_message_is_refused(object request, string field) =>
        Shape.WrongIn(request).Should().Be($"{field} must be given, but is missing");

    [Theory]
    [InlineData("request-1", "finished", "created, started, running, completed, error, failed")]
    [InlineData("request-1", "stopped", "created, started, running, completed, error, failed")]
    [InlineData("request-1", "", "created, started, running, completed, error, failed")]
    [InlineData("", "Running", "created, started, running, completed, error, failed, stopped")]
    public void An_unknown_state_is_refused_with_the_list_of_those_that_exist(string requestId, string word, string known) =>
        Shape.WrongIn(new SetModuleState(Samples.Report with { RequestId = requestId, State = word }, null))
            .Should().Be($"state.state must be one of {known}, but is '{word}'");

    [Theory]
    [InlineData("inflight")]
    [InlineData("completed")]
    [InlineData("someday")]
    public void A_task_is_scheduled_as_pending_only(string status) =>
        Shape.WrongIn(new ScheduleTask(Samples.NewTask with { Status = status }))
            .Should().Be($"task.status must be pending or empty when a task is scheduled, but is '{status}'");

    public static TheoryData<string, Func<byte[], object>> Payloads => new()
    {
        { "result.data", bytes => new StoreResult(Samples.Result with { Data = bytes }) },
        { "task.payload", bytes => new ScheduleTask(Samples.NewTask with { Payload = bytes }) },
    };

    [Theory]
    [MemberData(nameof(Payloads))]
    public void More_bytes_than_the_policy_allows_are_refused(string field, Func<byte[], object> request)
    {
        Shape.WrongIn(request([])).Should().BeNull();
        Shape.WrongIn(request(new byte[1_000])).Should().BeNull();
        Shape.WrongIn(request(new byte[1_001])).Should().Be($"{field} must be at most 1000 bytes, but is '1001 bytes'");
    }

    public static TheoryData<Func<string, object>> Reasons =>
    [
        reason => new NackTask("task-1", 0, false, 0, reason),
        reason => new CancelTask("task-1", reason),
    ];

    [Theory]
    [MemberData(nameof(Reasons))]
    public void A_reason_that_is_too_long_is_refused_and_shown_cut_short(Func<string, object> request) =>
        Shape.WrongIn(request(new string('x', 4097)))
            .Should().Be($"reason must be at most 4096 characters, but is '{new string('x', 40)}… (4097 characters)'");

    public static TheoryData<Func<PageRequest, object>> Lists =>
    [
        page => new ListAgents(AgentFilter.All, page),
        page => new ListModuleStates("agent-1", string.Empty, page),
        page => new ListResults("agent-1", page),
        page => new ListTasks(string.Empty, TaskFilter.Any, page),
        page => new ListDeadLetterTasks(TaskFilter.Any, page),
    ];

    [Theory]
    [MemberData(nameof(Lists))]
    public void A_page_token_is_one_that_was_given_out(Func<PageRequest, object> list)
    {
        Shape.WrongIn(list(new PageRequest(10, new PageCursor(7, "agent-1").ToString()))).Should().BeNull();
        Shape.WrongIn(list(new PageRequest(10, "page two")))
            .Should().Be("page_token must be a next_page_token of this list, but is 'page two'");
    }

    [Theory]
    [InlineData("0193f0a1b2c30001-00c0ffee")]
    [InlineData("x")]
    public void A_place_in_the_log_is_one_that_was_given_out(string place)
    {
        Shape.WrongIn(new GetEvents(0, EventFilter.Any, place)).Should().StartWith("page_token must be ");
        Shape.WrongIn(new WatchEvents(EventFilter.Any, place)).Should().StartWith("after must be ");
    }
}
