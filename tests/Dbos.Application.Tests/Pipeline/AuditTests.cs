using Dbos.Domain.ModuleStates;
using MediatR;

namespace Dbos.Application.Tests.Pipeline;

public sealed class AuditTests : IDisposable
{
    private static readonly PageRequest TooLarge = new(10_001, string.Empty);

    private static readonly TaskFilter OfAgent = new("agent-1", "ping");

    private readonly SubstitutedDbos dbos = new();

    public static TheoryData<Func<Refused, Task>, string, string> BadRequests => new()
    {
        { ask => ask.By(new RegisterAgent(Samples.Heartbeat with { LastSeen = -1 })), "agent_register_error", "agent-1" },
        { ask => ask.By(new RegisterAgent(null)), "agent_register_error", "" },
        { ask => ask.By(new SetModuleState(Samples.Report with { State = "finished" }, null)), "module_state_error", "request-1" },
        { ask => ask.By(new SetModuleState(Samples.Report with { RequestId = "", State = "x" }, null)), "module_state_error", "agent-1" },
        { ask => ask.By(new SetModuleState(null, null)), "module_state_error", "" },
        { ask => ask.By(new StoreResult(Samples.Result with { Timestamp = -1 })), "result_store_error", "request-1" },
        { ask => ask.By(new StoreResult(null)), "result_store_error", "" },
        { ask => ask.By(new ScheduleTask(Samples.NewTask with { Status = "failed" })), "task_schedule_error", "task-1" },
        { ask => ask.By(new ScheduleTask(null)), "task_schedule_error", "" },
        { ask => ask.By(new AckTask("task-1", -1)), "task_ack_error", "task-1" },
        { ask => ask.By(new NackTask("task-1", -1, false, 0, "")), "task_nack_error", "task-1" },
        { ask => ask.By(new ListDueTasks(OfAgent, -1, 0, 0)), "task_list_error", "agent-1" },
        { ask => ask.By(new StreamDueTasks(OfAgent, -1, 0)), "task_list_error", "agent-1" },
        { ask => ask.By(new ScheduleTasks([])), "task_schedule_error", "" },
        { ask => ask.By(new AckTasks([])), "task_ack_error", "" },
        { ask => ask.By(new ExtendTaskLease("task-1", 0, 0)), "task_extend_error", "task-1" },
        { ask => ask.By(new CancelTask("task-1", new string('x', 4_097))), "task_cancel_error", "task-1" },
        { ask => ask.By(new RequeueDeadLetterTasks([], OfAgent, All: true)), "task_requeue_error", "agent-1" },
        { ask => ask.By(new DeleteDeadLetterTask("")), "task_delete_error", "" },
    };

    public static TheoryData<Func<Refused, Task>> BadReads =>
    [
        ask => ask.By(new GetAgent("\n")),
        ask => ask.By(new ListAgents(AgentFilter.All, TooLarge)),
        ask => ask.By(new GetModuleState("")),
        ask => ask.By(new ListModuleStates("agent-1", "", TooLarge)),
        ask => ask.By(new GetResult("agent-1", "")),
        ask => ask.By(new ListResults("agent-1", TooLarge)),
        ask => ask.By(new GetTask("")),
        ask => ask.By(new ListTasks("", OfAgent, TooLarge)),
        ask => ask.By(new ListDeadLetterTasks(OfAgent, TooLarge)),
        ask => ask.By(new GetEvents(-1)),
    ];

    [Theory]
    [MemberData(nameof(BadReads))]
    public async Task A_read_of_bad_shape_is_refused_and_no_event(Func<Refused, Task> ask)
    {
        var refused = new Refused(dbos);
        await ask(refused);

        refused.All.Single()!.Code.Should().Be(RefusalCode.Validation);
        dbos.Told.Should().BeEmpty();
        dbos.ShouldHaveReachedNoRepository();
    }

    [Theory]
    [MemberData(nameof(BadRequests))]
    public async Task A_request_of_bad_shape_is_told_by_its_own_type_and_reaches_no_store(
        Func<Refused, Task> ask, string type, string partitionId)
    {
        var refused = new Refused(dbos);
        await ask(refused);

        var refusal = refused.All.Single()!;
        refusal.Code.Should().Be(RefusalCode.Validation);
        var told = dbos.Told.Should().ContainSingle().Subject;
        told.Event.Type.Should().Be(type);
        told.Event.Message.Should().Be(refusal.Sentence);
        told.Event.Metadata.Should().Contain(("code", "Validation"));
        told.PartitionId.Should().Be(partitionId);
        told.Origin.Should().Be(new Origin("grpc:192.0.2.9", "trace-1"));
        dbos.ShouldHaveReachedNoRepository();
    }

    [Fact]
    public async Task A_refusal_is_told_with_whom_it_is_about()
    {
        dbos.States.Configure().Report(default!, default!, default).ReturnsForAnyArgs(new Saved<ModuleState>.Conflict(Samples.State with { State = RunState.Failed }));
        await dbos.Ask(new SetModuleState(Samples.Report with { State = "completed" }, null));

        var told = dbos.Told.Should().ContainSingle().Subject.Event;
        told.Type.Should().Be("module_state_error");
        told.Metadata.Should().Equal(
            ("request_id", "request-1"), ("agent_id", "agent-1"), ("module_name", "ping"), ("state", "completed"), ("code", "InvalidTransition"));
    }

    [Theory]
    [InlineData("", 256)]
    [InlineData("\U0001F6F0", 255)]
    public async Task Long_values_are_told_cut_short_but_not_inside_a_character(string character, int kept)
    {
        var start = new string('x', 255);
        await dbos.Ask(new AckTask($"{start}{character}{start}", 0));

        dbos.Told.Single().Event.Metadata.Should().Equal(("task_id", new string('x', kept)), ("code", "Validation"));
    }

    [Fact]
    public async Task That_a_reader_asks_for_what_does_not_exist_is_no_event()
    {
        var refused = new Refused(dbos);
        await refused.By(new GetAgent("agent-1"));
        await refused.By(new GetModuleState("request-1"));
        await refused.By(new GetResult("agent-1", "request-1"));
        await refused.By(new GetTask("task-1"));

        refused.All.Should().HaveCount(4).And.OnlyContain(refusal => refusal!.Code == RefusalCode.NotFound);
        dbos.Told.Should().BeEmpty();
    }

    [Fact]
    public async Task That_a_command_is_about_what_does_not_exist_is_told()
    {
        dbos.TaskAnswers["task-1"] = TaskNotFound.Refusal("task-1");
        var refused = new Refused(dbos);
        await refused.By(new AckTask("task-1", 0));
        await refused.By(new NackTask("task-1", 0, false, 0, string.Empty));
        await refused.By(new ExtendTaskLease("task-1", 1, 0));
        await refused.By(new CancelTask("task-1", string.Empty));
        await refused.By(new DeleteDeadLetterTask("task-1"));

        refused.All.Should().HaveCount(5).And.AllBeEquivalentTo(new Refusal(RefusalCode.NotFound, "task 'task-1' is not known"));
        dbos.Told.Select(told => told.Event.Type).Should().Equal(
            "task_ack_error", "task_nack_error", "task_extend_error", "task_cancel_error", "task_delete_error");
        dbos.Told.Should().OnlyContain(told => told.Event.MetadataOf("code") == "NotFound");
    }

    [Fact]
    public async Task What_is_done_is_told_in_its_own_commit_and_nowhere_else()
    {
        await dbos.Ask(new StoreResult(Samples.Result));

        dbos.Told.Should().BeEmpty();
        dbos.Work.Origin.Actor.Should().Be("grpc:192.0.2.9");
        dbos.Work.Events.Should().ContainSingle().Which.Type.Should().Be(EventTypes.ResultStored);
    }

    [Fact]
    public async Task A_refusal_that_could_not_be_told_was_no_answer()
    {
        dbos.TaskAnswers["task-1"] = TaskNotFound.Refusal("task-1");
        dbos.Events.LogRefusal(default!, default!, default!, default).ReturnsForAnyArgs(Task.FromException(new StoreUnavailableException("away")));

        await dbos.Awaiting(it => it.Ask(new AckTask("task-1", 0))).Should().ThrowAsync<StoreUnavailableException>();

        dbos.Call.Outcome.Should().BeNull();
    }

    [Fact]
    public void A_commit_that_no_audit_has_named_an_origin_for_is_a_fault() =>
        new CommitContext().Invoking(work => work.Origin).Should().Throw<InvalidOperationException>();

    public void Dispose() => dbos.Dispose();

    /// <summary>Asks for answers of any kind and keeps how each was refused.</summary>
    public sealed class Refused(SubstitutedDbos dbos)
    {
        public List<Refusal?> All { get; } = [];

        public async Task By<T>(IRequest<Answer<T>> request) => All.Add((await dbos.Ask(request)).Refusal);
    }
}
