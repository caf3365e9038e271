using Dbos.Domain.ModuleStates;

namespace Dbos.Application.Tests.Pipeline;

public sealed class IdempotencyTests : IDisposable
{
    private const string Key = "key-1";
    private static readonly StoreResult Store = new(Samples.Result);
    private static readonly SetModuleState Report = new(Samples.Report, null);
    private static readonly AckTask Acknowledge = new("task-1", 1);

    private readonly SubstitutedDbos dbos = new();

    public static TheoryData<IWrite, string> Writes => new()
    {
        { Store, "request-1" },
        { new ScheduleTask(Samples.NewTask), "task-1" },
        { Report, "request-1" },
        { new SetModuleState(Samples.Report with { RequestId = string.Empty }, null), "agent-1" },
        { new RegisterAgent(Samples.Heartbeat), "agent-1" },
        { Acknowledge, "task-1" },
        { new NackTask("task-1", 0, false, 1, string.Empty), "task-1" },
        { new ExtendTaskLease("task-1", 1, 60), "task-1" },
        { new CancelTask("task-1", "obsolete"), "task-1" },
        { new DeleteDeadLetterTask("task-1"), "task-1" },
    };

    [Theory]
    [MemberData(nameof(Writes))]
    public async Task A_write_without_a_named_key_sets_no_mark(IWrite write, string _)
    {
        await dbos.Ask(write);

        dbos.Work.Mark.Should().BeNull();
    }

    [Theory]
    [MemberData(nameof(Writes))]
    public async Task A_key_that_the_caller_names_is_of_the_call_and_the_record(IWrite write, string recordId)
    {
        await dbos.Ask(write, Key);

        ShouldBeMarked(write, "named", recordId, Key);
    }

    [Fact]
    public void The_content_of_a_write_is_compared_only_where_a_key_is_named()
    {
        var write = Substitute.For<IWrite>();
        write.RecordIds.Returns(["task-1"]);

        new Idempotency(new CallContext(), dbos.Marks).MarkOf(write).Should().BeNull();
        _ = write.DidNotReceive().Content;
        new Idempotency(new CallContext { IdempotencyKey = Key }, dbos.Marks).MarkOf(write).Should().NotBeNull();
    }

    public static TheoryData<string> BadKeys => ["", "a\nb", new string('k', 257)];

    [Theory]
    [MemberData(nameof(BadKeys))]
    public async Task A_named_key_that_is_no_id_is_refused_and_told(string key)
    {
        var answer = await dbos.Ask(Store, key);

        answer.Refusal!.Code.Should().Be(RefusalCode.Validation);
        answer.Refusal.Sentence.Should().StartWith("idempotency-key must be 1 to 256 characters without control characters, but is '");
        dbos.Told.Should().ContainSingle().Which.Event.Type.Should().Be("result_store_error");
        dbos.ShouldHaveReachedNoRepository();
    }

    [Fact]
    public async Task A_transition_that_was_done_under_its_key_is_a_replay_though_the_request_has_moved_on()
    {
        StateIs(Samples.State with { State = RunState.Completed, Version = 2 });
        FirstAnswerIs(new FirstAnswer(1, ContentDiffers: false));

        (await dbos.Ask(Report, Key)).Value.Should().Be(new Written(1, Duplicate: true));
        dbos.Told.Should().BeEmpty();
        await dbos.Marks.Received(1).Find(dbos.Work.Mark!, "request-1", Arg.Any<CancellationToken>());
    }

    [Fact]
    public async Task A_refusal_that_no_mark_explains_stays_a_refusal()
    {
        StateIs(Samples.State with { State = RunState.Completed, Version = 2 });

        (await dbos.Ask(Report)).Refusal!.Code.Should().Be(RefusalCode.InvalidTransition);
        dbos.Told.Should().ContainSingle();
    }

    [Fact]
    public async Task A_write_that_has_no_mark_or_was_done_looks_for_none()
    {
        await dbos.Ask(Acknowledge);
        await dbos.Ask(Store);
        await dbos.Ask(Store with { Result = Samples.Result with { Timestamp = -1 } }, Key);

        dbos.Marks.ReceivedCalls().Should().BeEmpty();
    }

    [Fact]
    public async Task A_replay_with_the_same_content_is_answered_as_the_first_call_was()
    {
        StoreAnswers(new Written(1, Duplicate: true));

        (await dbos.Ask(Store, Key)).Value.Should().Be(new Written(1, Duplicate: true));
        dbos.Told.Should().BeEmpty();
    }

    [Fact]
    public async Task A_named_key_that_is_new_does_not_count_as_reused_because_the_record_says_other_things()
    {
        StoreAnswers(new Written(1, Duplicate: true) { ContentDiffers = true });

        (await dbos.Ask(Store, Key)).Value.Should().Be(new Written(1, Duplicate: true) { ContentDiffers = true });
        dbos.Told.Should().ContainSingle().Which.Event.Type.Should().Be("replay_differed");
    }

    [Fact]
    public async Task A_named_key_with_other_content_is_refused_and_told_as_a_refusal()
    {
        StoreAnswers(new Written(1, Duplicate: true) { ContentDiffers = true });
        FirstAnswerIs(new FirstAnswer(1, ContentDiffers: true));

        ShouldBeReused(await dbos.Ask(Store, Key), "StoreResult", "result_store_error");
    }

    [Fact]
    public async Task A_named_key_with_other_content_is_refused_also_where_the_write_is_refused_itself()
    {
        dbos.TaskAnswers["task-1"] = TaskNotFound.Refusal("task-1");
        FirstAnswerIs(new FirstAnswer(1, ContentDiffers: true));

        ShouldBeReused(await dbos.Ask(Acknowledge, Key), "AckTask", "task_ack_error");
    }

    public void Dispose() => dbos.Dispose();

    private void StateIs(ModuleState state) =>
        dbos.States.Configure().Report(default!, default!, default).ReturnsForAnyArgs(new Saved<ModuleState>.Conflict(state));

    private void FirstAnswerIs(FirstAnswer first) => dbos.Marks.Find(default!, default!, default).ReturnsForAnyArgs(first);

    private void StoreAnswers(Written written) => dbos.Results.Configure().Store(default!, default!, default).ReturnsForAnyArgs(written);

    private void ShouldBeMarked(IWrite write, params string[] kindRecordAndKey)
    {
        string[] further = write is StoreResult ? ["agent-1"] : [];
        dbos.Work.Mark!.Name.Should().Equal([write.GetType().Name, .. kindRecordAndKey[..^1], .. further, kindRecordAndKey[^1]]);
        dbos.Work.Mark.Content.Should().Be(write.Content);
    }

    private void ShouldBeReused(Answer<Written> answer, string request, string refusedEvent)
    {
        answer.Refusal.Should().Be(new Refusal(
            RefusalCode.IdempotencyKeyReused, $"idempotency-key 'key-1' was already used for another {request} of this record"));
        dbos.Told.Should().ContainSingle().Which.Event.Type.Should().Be(refusedEvent);
    }
}
