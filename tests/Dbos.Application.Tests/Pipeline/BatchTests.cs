using System.Globalization;

namespace Dbos.Application.Tests.Pipeline;

/// <summary>What the pipeline does for one write, a batch does for each of its writes.</summary>
public sealed class BatchTests : IDisposable
{
    private static readonly ScheduleTask Good = new(Samples.NewTask);
    private static readonly ScheduleTask Bad = Of("task-2", new byte[1_001]);

    private readonly SubstitutedDbos dbos = new();

    [Fact]
    public async Task Each_write_is_validated_and_answered_by_itself_in_order()
    {
        var answers = await Ask(new ScheduleTasks([Good, Bad, new ScheduleTask(null), Of("task-3")]));

        answers.Select(answer => answer.Refusal?.Sentence).Should().Equal(
            null, "task.payload must be at most 1000 bytes, but is '1001 bytes'", "task must be given, but is missing", null);
        answers[3].Value.Should().Be(new Written(0, Duplicate: false));
        Scheduled().Select(item => item.Task.Id).Should().Equal("task-1", "task-3");
    }

    [Fact]
    public async Task Each_refusal_is_told_with_whom_it_is_about()
    {
        dbos.TaskAnswers["task-9"] = TaskNotFound.Refusal("task-9");
        dbos.TaskAnswers["task-2"] = new Refusal(RefusalCode.LeaseLost, "lease 5 of task 'task-2' is lost");

        await Ask(new ScheduleTasks([Good, Bad]));
        await Ask(new AckTasks([new AckTask("task-9", 1), new AckTask("task-2", 5), new AckTask("task-1", 1)]));

        dbos.Told.Select(told => (told.Event.Type, told.Event.MetadataOf("code"), told.PartitionId)).Should().Equal(
            ("task_schedule_error", "Validation", "task-2"), ("task_ack_error", "NotFound", "task-9"), ("task_ack_error", "LeaseLost", "task-2"));
        dbos.Told.Should().OnlyContain(told => told.Origin == new Origin("grpc:192.0.2.9", "trace-1"));
    }

    [Fact]
    public async Task Each_write_has_a_context_of_its_own_in_the_name_of_the_caller()
    {
        await Ask(new ScheduleTasks([Good, Of("task-2")]));

        var contexts = Scheduled().Select(item => item.Context).ToArray();
        contexts.Should().OnlyHaveUniqueItems().And.OnlyContain(context => context.Origin == dbos.Work.Origin && context.Mark == null);
    }

    [Fact]
    public async Task A_key_that_the_caller_names_is_of_each_write_by_its_record()
    {
        await Ask(new AckTasks([new AckTask("task-1", 1), new AckTask("task-2", 1)]), "key-1");

        Written<Acknowledgement>().Select(ack => string.Join('|', ack.Context.Mark!.Name)).Should().Equal(
            "AckTask|named|task-1|key-1", "AckTask|named|task-2|key-1");
    }

    [Fact]
    public async Task A_named_key_that_is_no_id_is_refused_for_the_whole_batch()
    {
        var answer = await dbos.Ask(new ScheduleTasks([Good]), "a\nb");

        answer.Refusal!.Code.Should().Be(RefusalCode.Validation);
        dbos.Told.Should().ContainSingle().Which.Event.Type.Should().Be("task_schedule_error");
        dbos.ShouldHaveReachedNoRepository();
    }

    [Fact]
    public async Task A_named_key_with_other_content_is_refused_for_that_write_alone()
    {
        var first = new FirstAnswer(1, ContentDiffers: true);
        dbos.TaskAnswers["task-2"] = new Written(0, Duplicate: true) { ContentDiffers = true };
        dbos.Marks.Find(default!, default!, default).ReturnsForAnyArgs(first);

        var answers = await Ask(new ScheduleTasks([Good, Of("task-2")]), "key-1");

        answers[0].Value.Duplicate.Should().BeFalse();
        answers[1].Refusal!.Code.Should().Be(RefusalCode.IdempotencyKeyReused);
        dbos.Told.Should().ContainSingle().Which.PartitionId.Should().Be("task-2");
    }

    [Fact]
    public async Task A_task_that_is_known_with_other_content_is_a_duplicate_and_told()
    {
        dbos.TaskAnswers["task-2"] = new Written(0, Duplicate: true) { ContentDiffers = true };

        var answers = await Ask(new ScheduleTasks([Good, Of("task-2")]));

        answers.Select(answer => (answer.Value.Duplicate, answer.Value.ContentDiffers)).Should().Equal((false, false), (true, true));
        var told = dbos.Told.Should().ContainSingle().Subject;
        (told.Event.Type, told.PartitionId).Should().Be(("replay_differed", "task-2"));
    }

    [Fact]
    public async Task A_thousand_writes_reach_the_repository_in_one_call()
    {
        var answers = await Ask(new ScheduleTasks(
            [.. Enumerable.Range(1, 1_000).Select(i => Of(string.Create(CultureInfo.InvariantCulture, $"task-{i}")))]));

        answers.Should().HaveCount(1_000).And.OnlyContain(answer => !answer.IsRefused);
        Scheduled().Should().HaveCount(1_000);
    }

    [Fact]
    public async Task A_batch_with_no_good_write_saves_nothing()
    {
        await Ask(new ScheduleTasks([Bad, Bad]));

        dbos.TaskWrites.Should().BeEmpty();
        dbos.Told.Should().HaveCount(2);
    }

    public void Dispose() => dbos.Dispose();

    private IReadOnlyList<Scheduling> Scheduled() => Written<Scheduling>();

    private IReadOnlyList<T> Written<T>() => (IReadOnlyList<T>)dbos.TaskWrites.Single();

    private static ScheduleTask Of(string id, byte[]? payload = null) =>
        new(Samples.NewTask with { Id = id, Payload = payload ?? Samples.NewTask.Payload });

    private async Task<IReadOnlyList<Answer<Written>>> Ask<TWrite>(IBatch<TWrite> batch, string? key = null)
        where TWrite : IWrite => (await dbos.Ask(batch, key)).Value;
}
