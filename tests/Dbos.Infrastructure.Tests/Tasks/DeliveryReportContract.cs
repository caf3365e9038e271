using System.Text;
using Dbos.Application.ModuleStates;
using Dbos.Application.Pipeline;
using Dbos.Application.Results;
using Dbos.Application.Tasks;
using Dbos.Domain.Answers;
using Dbos.Domain.ModuleStates;
using Dbos.Domain.Results;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;

namespace Dbos.Infrastructure.Tests.Tasks;

/// <summary>Acknowledgements that carry a result and a state: all parts are written, or none.</summary>
public abstract class DeliveryReportContract(IEngine engine) : ReportingTests(engine)
{
    private const string Data = """{"rtt":1}""";

    [Fact]
    public async Task Task_result_and_state_are_there_with_their_events()
    {
        var token = await Deliver();

        (await Dbos.Send(Given.AckWith(token))).Value.Should().Be(new Written(0, Duplicate: false));

        (await Stored()).Status.Should().Be(MeasurementTaskStatus.Completed);
        Text(await StoredResult()).Should().Be(Data);
        (await StoredResult())!.DbosServerId.Should().Be(Dbos.Policy.ServerId);
        (await StoredState()).Should().Match<ModuleState>(state => state.State == RunState.Completed && state.Version == 1 && state.ModuleName == "ping");
        var types = (await Dbos.Lines()).Where(line => line.StartsWith("events ", StringComparison.Ordinal));
        types.Should().ContainSingle(line => line.Contains("result_stored", StringComparison.Ordinal))
            .And.ContainSingle(line => line.Contains("\"module_state_updated\"", StringComparison.Ordinal) && line.Contains("\"version\":1", StringComparison.Ordinal))
            .And.ContainSingle(line => line.Contains("task_acknowledged", StringComparison.Ordinal));
        (await Dbos.Send(new GetQueueStats())).Value.Totals["completed"].Should().Be(1);
        (await Dbos.Send(new ListResults("a1", new(0, string.Empty)))).Value.Items.Should().ContainSingle();
        (await Listed(MeasurementTaskStatus.Completed)).Should().Equal("t1");
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task One_part_may_come_alone(bool withResult, bool withState)
    {
        var ack = Given.AckWith(await Deliver());
        ack = ack with { Result = withResult ? ack.Result : null, State = withState ? ack.State : null };

        (await Dbos.Send(ack)).Value.Duplicate.Should().BeFalse();

        (await StoredResult() is not null, await StoredState() is not null).Should().Be((withResult, withState));
        (await Dbos.Send(ack)).Value.Duplicate.Should().BeTrue();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_ack_that_is_sent_again_is_a_duplicate_and_writes_nothing(bool withoutToken)
    {
        var ack = Given.AckWith(await Deliver());
        await Dbos.Send(ack);

        Answer<Written> again = default;
        var effect = await Dbos.EffectOf(async () => again = await Dbos.Send(withoutToken ? ack with { LeaseToken = 0 } : ack));

        again.Value.Should().Be(new Written(0, Duplicate: true));
        effect.Should().BeEmpty();
    }

    [Fact]
    public async Task A_task_that_was_completed_without_the_result_is_refused_and_no_duplicate()
    {
        var ack = Given.AckWith(await Deliver());
        await Dbos.Send(ack with { Result = null, State = null });

        await ShouldBeRefused(ack with { State = null }, RefusalCode.InvalidTransition, "without this result");
        await ShouldBeRefused(ack with { Result = null }, RefusalCode.InvalidTransition, "without this state");

        await Dbos.Send(Given.Result("t1", "a1", "other"));
        await ShouldBeRefused(ack with { State = null }, RefusalCode.InvalidTransition, "another result is stored");
    }

    [Fact]
    public async Task A_result_and_a_state_that_are_stored_already_count_as_done()
    {
        var token = await Deliver();
        await Dbos.Send(Given.Result("t1", "a1", Data));
        await Dbos.Send(Given.State("t1", "completed"));

        (await Dbos.Send(Given.AckWith(token))).Value.Should().Be(new Written(0, Duplicate: false));

        (await Stored()).Status.Should().Be(MeasurementTaskStatus.Completed);
        (await StoredState())!.Version.Should().Be(1);
        (await Dbos.Send(new ListResults("a1", new(0, string.Empty)))).Value.Items.Should().ContainSingle();
        (await Dbos.Send(Given.AckWith(token))).Value.Duplicate.Should().BeTrue();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("k1")]
    public async Task A_result_with_other_data_is_kept_and_the_answer_says_so(string? idempotencyKey)
    {
        var token = await Deliver();
        await Dbos.Send(Given.Result("t1", "a1", "first"));

        (await Dbos.Send(Given.AckWith(token), idempotencyKey)).Value.Should().Be(new Written(0, Duplicate: false) { ContentDiffers = true });

        Text(await StoredResult()).Should().Be("first");
        (await Stored()).Status.Should().Be(MeasurementTaskStatus.Completed);
        (await StoredState())!.State.Should().Be(RunState.Completed);
        (await Dbos.Lines()).Should().Contain(line => line.StartsWith("refusals ", StringComparison.Ordinal)
            && line.Contains("the result of AckTask was sent again with other content", StringComparison.Ordinal));
        await ShouldBeRefused(Given.AckWith(token), RefusalCode.InvalidTransition, "another result is stored");
        if (idempotencyKey is not null)
        {
            (await Dbos.Send(Given.AckWith(token), idempotencyKey)).Value.Duplicate.Should().BeTrue("the key is remembered");
        }
    }

    [Fact]
    public async Task A_state_that_must_not_follow_refuses_all_and_keeps_the_lease()
    {
        var token = await Deliver();
        await Dbos.Send(Given.State("t1", "failed"));

        await ShouldBeRefused(Given.AckWith(token), RefusalCode.InvalidTransition, "is failed, which is terminal");
        await ShouldBeRefused(Given.AckWith(token, module: "traceroute", state: "failed"), RefusalCode.OwnerMismatch, "belongs to module 'ping'");
        await ShouldBeRefused(Given.AckWith(token) with { State = Given.StateOf("failed") with { Version = 7, Timestamp = 5 } }, RefusalCode.VersionConflict, "at version 1");

        (await Stored()).Status.Should().Be(MeasurementTaskStatus.Inflight);
        (await StoredResult()).Should().BeNull();
        (await Dbos.Send(Given.AckWith(token, state: "failed"))).Value.Duplicate.Should().BeFalse();
    }

    [Fact]
    public async Task Without_the_lease_nothing_is_written()
    {
        await Dbos.Send(Given.Task());
        await ShouldBeRefused(Given.AckWith(0), RefusalCode.InvalidTransition, "is pending");
        var token = (await TakeOne()).LeaseToken;
        await ShouldBeRefused(Given.AckWith(token + 1), RefusalCode.LeaseLost, "is lost");
        await Dbos.Send(new CancelTask("t1", "no longer wanted"));
        await ShouldBeRefused(Given.AckWith(token), RefusalCode.TaskCancelled, "was cancelled");
        await ShouldBeRefused(Given.AckWith(token) with { TaskId = "t9" }, RefusalCode.NotFound, "t9");

        (await StoredResult()).Should().BeNull();
        (await StoredState()).Should().BeNull();
    }

    [Fact]
    public async Task The_agent_is_the_tasks_or_where_it_names_none_the_callers()
    {
        var token = await Deliver();
        await ShouldBeRefused(Given.AckWith(token, agentId: "a2"), RefusalCode.OwnerMismatch, "is for agent 'a1', not for agent 'a2'");
        (await Dbos.Send(Given.AckWith(token, agentId: string.Empty))).IsRefused.Should().BeFalse();
        (await StoredResult()).Should().NotBeNull();

        await Dbos.Send(Given.Task("t2", agentId: string.Empty));
        var second = (await TakeOne()).LeaseToken;
        await ShouldBeRefused(Given.AckWith(second, agentId: string.Empty) with { TaskId = "t2" }, RefusalCode.Validation, "agent_id must be given");
        (await Dbos.Send(Given.AckWith(second, agentId: "a: 2%") with { TaskId = "t2" })).IsRefused.Should().BeFalse();
        (await Dbos.Send(new GetResult("a: 2%", "t2"))).IsRefused.Should().BeFalse();
        (await Dbos.Send(new GetModuleState("t2", "a: 2%"))).IsRefused.Should().BeFalse();
    }

    [Fact]
    public async Task An_agent_whose_name_is_encoded_in_keys_is_the_tasks()
    {
        await Dbos.Send(Given.Task(agentId: "a: 1%"));
        var token = (await TakeOne()).LeaseToken;

        (await Dbos.Send(Given.AckWith(token, agentId: "a: 1%"))).IsRefused.Should().BeFalse();

        (await Dbos.Send(new GetResult("a: 1%", "t1"))).IsRefused.Should().BeFalse();
    }

    [Fact]
    public async Task A_batch_answers_each_ack_by_itself()
    {
        await Dbos.SendAll(Enumerable.Range(1, 4).Select(number => Given.Task($"t{number}")));
        var tokens = (await Take()).ToDictionary(task => task.Id, task => task.LeaseToken);
        await Dbos.Send(Given.State("t3", "failed"));

        var answers = (await Dbos.Send(new AckTasks(
        [
            new AckTask("t1", tokens["t1"]),
            Given.AckWith(tokens["t2"]) with { TaskId = "t2" },
            Given.AckWith(tokens["t3"]) with { TaskId = "t3" },
            new AckTask("t2", tokens["t2"]),
            Given.AckWith(tokens["t4"]) with { TaskId = "t4", Result = Given.Result("t9", "a1", Data).Result },
        ]))).Value;

        answers.Select(answer => answer.IsRefused ? answer.Refusal.Code.ToString() : answer.Value.Duplicate ? "duplicate" : "done")
            .Should().Equal("done", "done", "InvalidTransition", "duplicate", "Validation");
        (await Dbos.Send(new GetResult("a1", "t2"))).IsRefused.Should().BeFalse();
        (await Dbos.Send(new GetResult("a1", "t3"))).IsRefused.Should().BeTrue();
        (await Stored("t3")).Status.Should().Be(MeasurementTaskStatus.Inflight);
    }

    [Fact]
    public async Task A_key_of_the_callers_covers_all_parts()
    {
        var ack = Given.AckWith(await Deliver());
        await Dbos.Send(ack, "k1");

        (await Dbos.Send(ack with { Result = ack.Result! with { Id = string.Empty } }, "k1")).Value.Duplicate.Should().BeTrue("an id that is left out is the task's");
        (await Dbos.Send(Given.AckWith(ack.LeaseToken, data: "other"), "k1")).Refusal!.Code.Should().Be(RefusalCode.IdempotencyKeyReused);
    }

    /// <summary>Whichever write wins, the result, the state and the completion are stored together or not at all.</summary>
    [Theory]
    [InlineData("expiry")]
    [InlineData("cancel")]
    [InlineData("ack")]
    [InlineData("nack")]
    public async Task In_a_race_all_parts_are_there_or_none(string rival)
    {
        const int Races = 40;
        await Dbos.SendAll(Enumerable.Range(0, Races).Select(number => Given.Task($"t{number}")));
        var taken = await Take(lease: rival == "expiry" ? TimeSpan.FromMilliseconds(1) : null);
        taken.Should().HaveCount(Races);

        await Task.WhenAll(taken.SelectMany(task => new[] { Dbos.Send(Given.AckWith(task.LeaseToken) with { TaskId = task.Id }), Rival(task) })
            .Concat(rival == "expiry" ? Enumerable.Range(0, 4).Select(_ => ExpireSome()) : []));

        foreach (var task in taken)
        {
            var parts = new[]
            {
                (await Stored(task.Id)).Status == MeasurementTaskStatus.Completed,
                !(await Dbos.Send(new GetResult("a1", task.Id))).IsRefused,
                !(await Dbos.Send(new GetModuleState(task.Id, "a1"))).IsRefused,
            };

            // A plain ack that was first completes the task alone.
            parts.Skip(rival == "ack" ? 1 : 0).Distinct().Should().ContainSingle(task.Id);
        }

        Task<Answer<Written>> Rival(MeasurementTask task) => rival switch
        {
            "cancel" => Dbos.Send(new CancelTask(task.Id, "no longer wanted")),
            "ack" => Dbos.Send(new AckTask(task.Id, task.LeaseToken)),
            "nack" => Dbos.Send(Given.Nack(id: task.Id, token: task.LeaseToken)),
            _ => Task.FromResult<Answer<Written>>(new Written(0, Duplicate: false)),
        };

        async Task<Answer<Written>> ExpireSome() => new Written(await Tasks.ExpireLeases(Caller, None), Duplicate: false);
    }

    private static string Text(MeasurementResult? result) => Encoding.UTF8.GetString(result!.Data.Span);
}

public sealed class DeliveryReportOnSqlite(SqliteEngine engine) : DeliveryReportContract(engine), IClassFixture<SqliteEngine>;

public sealed class DeliveryReportOnRedis(RedisEngine engine) : DeliveryReportContract(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class DeliveryReportOnCluster(ClusterEngine engine) : DeliveryReportContract(engine);
