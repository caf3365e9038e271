using System.Globalization;
using Dbos.Domain.Tasks;

namespace Dbos.Application.Tests.Pipeline;

/// <summary>What the pipeline does for one write, a batch does for each of its writes.</summary>
public sealed class BatchTests : IDisposable
{
    private static readonly ScheduleTask Good = new(Samples.NewTask);
    private static readonly ScheduleTask Bad = Of("task-2", new byte[1_001]);

    private readonly SubstitutedDbos dbos = new();

    public BatchTests()
    {
        foreach (var id in new[] { "task-1", "task-2" })
        {
            dbos.Tasks.FindBare(id, Arg.Any<CancellationToken>()).Returns(Samples.Inflight with { Id = id });
        }
    }

    [Fact]
    public async Task Each_write_is_validated_and_answered_by_itself_in_order()
    {
        var answers = await Ask(new ScheduleTasks([Good, Bad, new ScheduleTask(null), Of("task-3")]));

        answers.Select(answer => answer.Refusal?.Sentence).Should().Equal(
            null, "task.payload must be at most 1000 bytes, but is '1001 bytes'", "task must be given, but is missing", null);
        answers[3].Value.Should().Be(new Written(1, Duplicate: false));
        dbos.TaskCommits.Should().ContainSingle().Which.Select(draft => draft.Next.Id).Should().Equal("task-1", "task-3");
    }

    [Fact]
    public async Task Each_refusal_is_told_with_whom_it_is_about()
    {
        await Ask(new ScheduleTasks([Good, Bad]));
        await Ask(new AckTasks([new AckTask("task-9", 1), new AckTask("task-2", 5), new AckTask("task-1", 1)]));

        dbos.Told.Select(told => (told.Event.Type, told.Event.MetadataOf("code"), told.PartitionId)).Should().Equal(
            ("task_schedule_error", "Validation", "task-2"), ("task_ack_error", "NotFound", "task-9"), ("task_ack_error", "LeaseLost", "task-2"));
        dbos.Told.Should().OnlyContain(told => told.Origin == new Origin("grpc:192.0.2.9", "trace-1"));
    }

    [Fact]
    public async Task Each_write_has_its_own_mark_and_events_in_the_commit()
    {
        await Ask(new ScheduleTasks([Good, Of("task-2")]));

        var drafts = dbos.TaskCommits.Single();
        drafts.Select(draft => string.Join('|', draft.Work.Mark!.Name)).Should().Equal(
            "ScheduleTask|natural|task-1|task-1", "ScheduleTask|natural|task-2|task-2");
        drafts.Select(draft => draft.Work.Events.Single().MetadataOf("task_id")).Should().Equal("task-1", "task-2");
        drafts.Should().OnlyContain(draft => draft.Work.Origin == dbos.Work.Origin);
    }

    [Fact]
    public async Task A_key_that_the_caller_names_is_of_each_write_by_its_record()
    {
        await Ask(new AckTasks([new AckTask("task-1", 1), new AckTask("task-2", 1)]), "key-1");

        dbos.TaskCommits.Single().Select(draft => string.Join('|', draft.Work.Mark!.Name)).Should().Equal(
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
        dbos.NextSaves["task-2"] = new Saved<MeasurementTask>.Replayed(first);
        dbos.Marks.Find(default!, default!, default).ReturnsForAnyArgs(first);

        var answers = await Ask(new ScheduleTasks([Good, Of("task-2")]), "key-1");

        answers[0].Value.Duplicate.Should().BeFalse();
        answers[1].Refusal!.Code.Should().Be(RefusalCode.IdempotencyKeyReused);
        dbos.Told.Should().ContainSingle().Which.PartitionId.Should().Be("task-2");
    }

    [Fact]
    public async Task A_task_that_comes_twice_in_a_batch_is_scheduled_once()
    {
        var answers = await Ask(new ScheduleTasks([Good, Good, Of("task-1", [9])]));

        answers.Select(answer => answer.Value).Should().Equal(
            new Written(1, Duplicate: false), new Written(1, Duplicate: true), new Written(1, Duplicate: true));
        dbos.Told.Should().ContainSingle().Which.Event.Type.Should().Be("replay_differed");
    }

    [Fact]
    public async Task A_task_that_comes_twice_in_a_batch_is_acknowledged_once()
    {
        var answers = await Ask(new AckTasks([new AckTask("task-1", 1), new AckTask("task-1", 1), new AckTask("task-1", 7)]));

        answers[0].Value.Should().Be(new Written(3, Duplicate: false));
        answers[1].Value.Should().Be(new Written(3, Duplicate: true));
        answers[2].Refusal!.Code.Should().Be(RefusalCode.LeaseLost);
        dbos.TaskCommits.Should().ContainSingle();
    }

    [Fact]
    public async Task Only_what_was_overtaken_is_decided_and_saved_again()
    {
        dbos.NextSaves["task-2"] = new Saved<MeasurementTask>.Conflict(Samples.Inflight with { Id = "task-2", Version = 5 });

        var answers = await Ask(new AckTasks([new AckTask("task-1", 1), new AckTask("task-2", 1)]));

        answers.Select(answer => answer.Value.Version).Should().Equal(3, 6);
        dbos.TaskCommits.Select(drafts => drafts.Count).Should().Equal(2, 1);
    }

    [Fact]
    public async Task A_thousand_writes_are_one_save()
    {
        var answers = await Ask(new ScheduleTasks(
            [.. Enumerable.Range(1, 1_000).Select(i => Of(string.Create(CultureInfo.InvariantCulture, $"task-{i}")))]));

        answers.Should().HaveCount(1_000).And.OnlyContain(answer => !answer.IsRefused);
        dbos.TaskCommits.Should().ContainSingle().Which.Should().HaveCount(1_000);
    }

    [Fact]
    public async Task A_batch_with_no_good_write_saves_nothing()
    {
        await Ask(new ScheduleTasks([Bad, Bad]));

        dbos.TaskCommits.Should().BeEmpty();
        dbos.Told.Should().HaveCount(2);
    }

    public void Dispose() => dbos.Dispose();

    private static ScheduleTask Of(string id, byte[]? payload = null) =>
        new(Samples.NewTask with { Id = id, Payload = payload ?? Samples.NewTask.Payload });

    private async Task<IReadOnlyList<Answer<Written>>> Ask<TWrite>(IBatch<TWrite> batch, string? key = null)
        where TWrite : IWrite => (await dbos.Ask(batch, key)).Value;
}
