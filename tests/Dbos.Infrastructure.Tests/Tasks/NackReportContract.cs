using Dbos.Application.Tasks;
using Dbos.Domain.Answers;
using Dbos.Domain.ModuleStates;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;

namespace Dbos.Infrastructure.Tests.Tasks;

/// <summary>Negative acknowledgements that carry a state, ask for no retry, or release the task.</summary>
public abstract class NackReportContract(IEngine engine) : ReportingTests(engine)
{
    [Fact]
    public async Task A_nack_reports_a_state_with_it()
    {
        var nack = Given.Nack(token: await Deliver()) with { State = Given.StateOf("running") };

        (await Dbos.Send(nack)).Value.Duplicate.Should().BeFalse();

        (await Stored()).Should().Match<MeasurementTask>(task => task.Status == MeasurementTaskStatus.Pending && task.Failures == 1);
        (await StoredState())!.State.Should().Be(RunState.Running);
        (await Dbos.Send(nack)).Value.Duplicate.Should().BeTrue();
        await ShouldBeRefused(nack with { State = Given.StateOf("completed") }, RefusalCode.InvalidTransition, "without this state");
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task A_state_that_must_not_follow_refuses_the_nack_too(bool deadLetter, bool release)
    {
        var token = await Deliver();
        await Dbos.Send(Given.State("t1", "failed"));
        var nack = Given.Nack(delaySeconds: 1, token: token) with
        {
            RetryDelaySeconds = 0, DeadLetter = deadLetter, Release = release, State = Given.StateOf("error"),
        };

        await ShouldBeRefused(nack, RefusalCode.InvalidTransition, "is failed, which is terminal");

        (await Stored()).Status.Should().Be(MeasurementTaskStatus.Inflight);
    }

    [Fact]
    public async Task A_nack_without_retry_is_a_dead_letter_at_once()
    {
        var nack = Given.Nack(delaySeconds: 1, token: await Deliver(), reason: "no such host") with
        {
            RetryDelaySeconds = 0, DeadLetter = true, State = Given.StateOf("error"),
        };

        (await Dbos.Send(nack)).Value.Duplicate.Should().BeFalse();

        (await Stored()).Should().Match<MeasurementTask>(task => task.Status == MeasurementTaskStatus.Failed
            && task.DeadLetterReason == "rejected" && task.LastError == "no such host" && task.Failures == 1 && task.History.Count == 1);
        (await StoredState())!.State.Should().Be(RunState.Error);
        (await Listed(MeasurementTaskStatus.Failed)).Should().Equal("t1");
        (await Dbos.Send(nack)).Value.Duplicate.Should().BeTrue();
        (await Dbos.Lines()).Should().Contain(line => line.Contains("moved to the dead-letter queue: rejected by its holder", StringComparison.Ordinal));
        (await Dbos.Send(new GetQueueStats())).Value.Totals.Should().Contain(new Dictionary<string, long> { ["nacked"] = 1, ["dead_lettered"] = 1 });
        (await Dbos.Send(new RequeueDeadLetterTasks(["t1"], TaskFilter.Any, All: false))).Value.Count.Should().Be(1);
    }

    [Fact]
    public async Task A_released_task_is_due_at_once_and_nothing_counts_as_a_failure()
    {
        var token = await Deliver();
        var release = Given.Nack(delaySeconds: 1, token: token) with { RetryDelaySeconds = 0, Release = true };

        (await Dbos.Send(release)).Value.Duplicate.Should().BeFalse();

        var task = await Stored();
        (task.Status, task.RetryCount, task.History.Count, task.LastError).Should().Be((MeasurementTaskStatus.Pending, 0, 0, string.Empty));
        (await Dbos.Send(release)).Value.Duplicate.Should().BeTrue();
        (await Dbos.Lines()).Should().ContainSingle(line => line.Contains("released by its holder", StringComparison.Ordinal)
            && line.Contains("\"reason\":\"no route\"", StringComparison.Ordinal));
        (await TakeOne()).LeaseToken.Should().BeGreaterThan(token);
        (await Dbos.Send(release)).Refusal!.Code.Should().Be(RefusalCode.LeaseLost);
    }
}

public sealed class NackReportOnSqlite(SqliteEngine engine) : NackReportContract(engine), IClassFixture<SqliteEngine>;

public sealed class NackReportOnRedis(RedisEngine engine) : NackReportContract(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class NackReportOnCluster(ClusterEngine engine) : NackReportContract(engine);
