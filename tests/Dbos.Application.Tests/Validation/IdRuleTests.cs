namespace Dbos.Application.Tests.Validation;

public sealed class IdRuleTests
{
    private const string Rule = "1 to 256 characters without control characters";

    public static TheoryData<string, Func<string, object>> Required => new()
    {
        { "agent.id", id => new RegisterAgent(Samples.Heartbeat with { AgentId = id }) },
        { "agent_id", id => new GetAgent(id) },
        { "agent_id", id => new GetAgentHistory(id, 0) },
        { "state.agent_id", id => new SetModuleState(Samples.Report with { AgentId = id }, null) },
        { "state.module_name", id => new SetModuleState(Samples.Report with { ModuleName = id }, null) },
        { "request_id", id => new GetModuleState(id) },
        { "result.id", id => new StoreResult(Samples.Result with { Id = id }) },
        { "result.agent_id", id => new StoreResult(Samples.Result with { AgentId = id }) },
        { "agent_id", id => new GetResult(id, "request-1") },
        { "request_id", id => new GetResult("agent-1", id) },
        { "task.id", id => new ScheduleTask(Samples.NewTask with { Id = id }) },
        { "task_id", id => new GetTask(id) },
        { "task_id", id => new AckTask(id, 0) },
        { "task_id", id => new NackTask(id, 0, false, 0, string.Empty) },
        { "task_id", id => new ExtendTaskLease(id, 1, 0) },
        { "task_id", id => new CancelTask(id, string.Empty) },
        { "task_id", id => new DeleteDeadLetterTask(id) },
        { "request_id", id => new GetRequestTimeline(id) },
        { "task_ids", id => new RequeueDeadLetterTasks(["task-1", id], TaskFilter.Any, All: false) },
    };

    public static TheoryData<string, Func<string, object>> Optional => new()
    {
        { "state.request_id", id => new SetModuleState(Samples.Report with { RequestId = id }, null) },
        { "agent_id", id => new ListModuleStates(id, string.Empty, Samples.WholeList) },
        { "module_name", id => new ListModuleStates(string.Empty, id, Samples.WholeList) },
        { "agent_id", id => new ListResults(id, Samples.WholeList) },
        { "result.module_name", id => new StoreResult(Samples.Result with { ModuleName = id }) },
        { "task.agent_id", id => new ScheduleTask(Samples.NewTask with { AgentId = id }) },
        { "task.module_name", id => new ScheduleTask(Samples.NewTask with { ModuleName = id }) },
        { "agent_id", id => new ListDueTasks(new TaskFilter(id, "ping"), 0, 0, 0) },
        { "module_name", id => new ListDueTasks(new TaskFilter("agent-1", id), 0, 0, 0) },
        { "agent_id", id => new StreamDueTasks(new TaskFilter(id, "ping"), 0, 0) },
        { "module_name", id => new StreamDueTasks(new TaskFilter("agent-1", id), 0, 0) },
        { "agent_id", id => new ListTasks(string.Empty, new TaskFilter(id, "ping"), Samples.WholeList) },
        { "module_name", id => new ListTasks(string.Empty, new TaskFilter("agent-1", id), Samples.WholeList) },
        { "agent_id", id => new ListDeadLetterTasks(new TaskFilter(id, "ping"), Samples.WholeList) },
        { "module_name", id => new ListDeadLetterTasks(new TaskFilter("agent-1", id), Samples.WholeList) },
        { "agent_id", id => new RequeueDeadLetterTasks([], new TaskFilter(id, "ping"), All: false) },
        { "module_name", id => new RequeueDeadLetterTasks([], new TaskFilter("agent-1", id), All: false) },
        { "type", id => new GetEvents(0, EventFilter.Of(id, string.Empty, string.Empty, 0), string.Empty) },
        { "agent_id", id => new GetEvents(0, EventFilter.Of(string.Empty, id, string.Empty, 0), string.Empty) },
        { "request_id", id => new GetEvents(0, EventFilter.Of(string.Empty, string.Empty, id, 0), string.Empty) },
    };

    [Theory]
    [MemberData(nameof(Required))]
    public void An_id_that_is_required_has_1_to_256_characters(string field, Func<string, object> request)
    {
        ShouldRefuseBadIds(request, $"{field} must be {Rule}");
        Shape.WrongIn(request(string.Empty)).Should().Be($"{field} must be {Rule}, but is ''");
    }

    [Theory]
    [MemberData(nameof(Optional))]
    public void An_id_that_is_optional_may_be_empty(string field, Func<string, object> request)
    {
        ShouldRefuseBadIds(request, $"{field} must be empty or {Rule}");
        Shape.WrongIn(request(string.Empty)).Should().BeNull();
    }

    private static void ShouldRefuseBadIds(Func<string, object> request, string sentence)
    {
        Shape.WrongIn(request(new string('x', 256))).Should().BeNull();
        Shape.WrongIn(request("größer/than: «plain» 名前 ")).Should().BeNull();
        Shape.WrongIn(request(new string('x', 257))).Should().Be($"{sentence}, but is '{new string('x', 40)}… (257 characters)'");
        Shape.WrongIn(request("line\nbreak")).Should().Be($"{sentence}, but is 'line\uFFFDbreak'");
        Shape.WrongIn(request("\0")).Should().Be($"{sentence}, but is '\uFFFD'");
    }
}
