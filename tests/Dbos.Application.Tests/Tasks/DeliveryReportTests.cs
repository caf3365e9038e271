using Dbos.Domain.ModuleStates;
using Dbos.Domain.Results;
using Dbos.Domain.Tasks;
using NSubstitute.Extensions;

namespace Dbos.Application.Tests.Tasks;

/// <summary>What a holder reports with the end of its delivery.</summary>
public sealed class DeliveryReportTests : IDisposable
{
    private static readonly MeasurementResult Result = Samples.Result with { Id = string.Empty, AgentId = string.Empty };
    private static readonly StateReport State = Samples.Report with { RequestId = string.Empty, AgentId = string.Empty, State = "completed" };

    private readonly SubstitutedDbos dbos = new();

    [Fact]
    public async Task What_is_left_out_is_the_tasks()
    {
        dbos.Tasks.FindBare("task-1", default).ReturnsForAnyArgs(Samples.Inflight);

        (await dbos.Ask(new AckTask("task-1", 1, Result, State))).IsRefused.Should().BeFalse();

        var (ack, report) = dbos.ShouldHaveWrittenOne<SubstitutedDbos.AcknowledgedReport>();
        ack.Should().Be(new Acknowledgement("task-1", 1, dbos.Work));
        report.AgentId.Should().Be("agent-1");
        (report.Result!.Id, report.Result.AgentId, report.Result.DbosServerId, report.Result.ReceivedAt)
            .Should().Be(("task-1", "agent-1", "dbos-1", Samples.Second));
        (report.State!.RequestId, report.State.AgentId, report.State.State, report.State.Expected)
            .Should().Be(("task-1", "agent-1", RunState.Completed, ExpectedVersions.Any));
    }

    [Fact]
    public async Task A_named_agent_spares_the_read()
    {
        await dbos.Ask(new AckTask("task-1", 1, Result, State with { AgentId = "agent-9" }));

        dbos.ShouldHaveWrittenOne<SubstitutedDbos.AcknowledgedReport>().Report.Result!.AgentId.Should().Be("agent-9");
        await dbos.Tasks.DidNotReceiveWithAnyArgs().FindBare(default!, default);
    }

    [Fact]
    public async Task Without_any_agent_it_is_refused()
    {
        (await dbos.Ask(new AckTask("task-1", 1, Result))).Refusal!.Code.Should().Be(RefusalCode.NotFound);
        dbos.Tasks.FindBare("task-1", default).ReturnsForAnyArgs(Samples.Inflight with { AgentId = string.Empty });

        (await dbos.Ask(new AckTask("task-1", 1, Result))).Refusal!.Sentence.Should().Be(
            "agent_id must be given in result or state, as task 'task-1' names no agent");
        (await dbos.Ask(Nack with { State = State })).Refusal!.Code.Should().Be(RefusalCode.Validation);
        dbos.TaskWrites.Should().BeEmpty();
    }

    [Fact]
    public async Task Of_a_batch_the_plain_acks_stay_one_write()
    {
        AckTask[] acks = [new("task-1", 1), new("task-2", 1, Samples.Result with { Id = "task-2" }), new("task-3", 1)];
        dbos.TaskAnswers["task-2"] = new Written(0, Duplicate: false) { ContentDiffers = true };

        var answers = (await dbos.Ask(new AckTasks(acks))).Value;

        answers.Select(answer => answer.Value.ContentDiffers).Should().Equal(false, true, false);
        dbos.TaskWrites.OfType<IReadOnlyList<Acknowledgement>>().Should().ContainSingle().Which.Select(ack => ack.TaskId).Should().Equal("task-1", "task-3");
        dbos.TaskWrites.OfType<IReadOnlyList<SubstitutedDbos.AcknowledgedReport>>().Should().ContainSingle();
        dbos.Told.Single().Event.Message.Should().Be("the result of AckTask was sent again with other content; the first is kept");
    }

    /// <summary>As one of a new result that a full store refuses.</summary>
    [Fact]
    public async Task An_outage_of_one_with_a_result_keeps_no_other_of_the_batch_from_being_written()
    {
        AckTask[] acks = [new("task-1", 1), new("task-2", 1, Samples.Result with { Id = "task-2" })];
        dbos.Tasks.Configure().AcknowledgeWith(default!, default, default).ReturnsForAnyArgs<Task<Answer<Written>>>(_ => throw new StoreUnavailableException("full"));

        var ask = () => dbos.Ask(new AckTasks(acks));

        await ask.Should().ThrowAsync<StoreUnavailableException>();
        dbos.TaskWrites.OfType<IReadOnlyList<Acknowledgement>>().Should().ContainSingle().Which.Select(ack => ack.TaskId).Should().Equal("task-1");
    }

    [Fact]
    public async Task That_another_result_was_kept_is_answered_though_it_cannot_be_logged()
    {
        dbos.TaskAnswers["task-1"] = new Written(0, Duplicate: false) { ContentDiffers = true };
        dbos.Events.WhenForAnyArgs(log => log.LogRefusal(default!, default!, default!, default)).Do(_ => throw new StoreUnavailableException("full"));

        var ack = await dbos.Ask(new AckTask("task-1", 1, Samples.Result with { Id = "task-1" }));

        ack.Value.ContentDiffers.Should().BeTrue("the task is completed, and sent again it would be refused");
    }

    [Theory]
    [InlineData(true, false, NackKind.DeadLetter)]
    [InlineData(false, true, NackKind.Release)]
    [InlineData(false, false, NackKind.Retry)]
    public async Task A_nack_says_what_becomes_of_the_task(bool deadLetter, bool release, NackKind kind)
    {
        await dbos.Ask(Nack with { DeadLetter = deadLetter, Release = release, State = State with { AgentId = "agent-1" } });

        dbos.ShouldHaveWrittenOne<NegativeAcknowledgement>().Should().Match<NegativeAcknowledgement>(
            nack => nack.Kind == kind && nack.Report!.State!.RequestId == "task-1" && nack.Report.Result == null);
    }

    public static TheoryData<object, string> Wrong => new()
    {
        { new AckTask("task-1", 1, Result with { Id = "task-2" }), "result.id must be empty or the task's id, but is 'task-2'" },
        { new AckTask("task-1", 1, Result with { ModuleName = "\n" }), "result.module_name must be empty or 1 to 256 characters without control characters, but is '\uFFFD'" },
        { new AckTask("task-1", 1, Result with { Data = new byte[1_001] }), "result.data must be at most 1000 bytes, but is '1001 bytes'" },
        { new AckTask("task-1", 1, State: State with { RequestId = "task-2" }), "state.request_id must be empty or the task's id, but is 'task-2'" },
        { new AckTask("task-1", 1, State: State with { State = "running" }), "state.state must be one of completed, error, failed, but is 'running'" },
        { new AckTask("task-1", 1, State: State with { ModuleName = "" }), "state.module_name must be 1 to 256 characters without control characters, but is ''" },
        {
            new AckTask("task-1", 1, Result with { AgentId = "agent-1" }, State with { AgentId = "agent-2" }),
            "state.agent_id must be empty or the result's agent_id, but is 'agent-2'"
        },
        { Nack with { State = State with { State = "stopped" } }, "state.state must be one of created, started, running, completed, error, failed, but is 'stopped'" },
        { Nack with { DeadLetter = true, Release = true }, "dead_letter must be false together with release, but is True" },
        { Nack with { DeadLetter = true, RetryAtOnce = true }, "dead_letter must be false together with retry_at_once, but is True" },
        { Nack with { DeadLetter = true, RetryDelaySeconds = 3 }, "retry_delay_seconds must be 0 together with dead_letter, but is 3" },
        { Nack with { Release = true, RetryDelaySeconds = 3 }, "retry_delay_seconds must be 0 together with release, but is 3" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void A_wrong_shape_is_refused_with_its_rule(object command, string sentence) =>
        Validation.Shape.WrongIn(command).Should().Be(sentence);

    [Fact]
    public void Ids_that_are_left_out_are_the_same_content_and_other_parts_are_not()
    {
        var ack = new AckTask("task-1", 1, Result, State);

        (ack with { Result = Result with { Id = "task-1" }, State = State with { RequestId = "task-1" } }).Content.Should().Be(ack.Content);
        IWrite[] others =
        [
            ack with { Result = null },
            ack with { State = null },
            ack with { Result = Result with { Data = default } },
            ack with { State = State with { State = "failed" } },
            Nack,
            Nack with { Release = true },
            Nack with { DeadLetter = true },
            Nack with { State = State },
            new AckTask("task-1", 1),
        ];
        others.Select(other => other.Content).Append(ack.Content).Should().OnlyHaveUniqueItems();
    }

    public void Dispose() => dbos.Dispose();

    private static NackTask Nack { get; } = new("task-1", 0, RetryAtOnce: false, 1, "no route");
}
