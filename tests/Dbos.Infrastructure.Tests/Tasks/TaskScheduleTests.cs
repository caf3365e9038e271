using Dbos.Application.Tasks;
using Dbos.Domain.Answers;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;

namespace Dbos.Infrastructure.Tests.Tasks;

/// <summary>What is stored when a task is scheduled, and when it is scheduled once more.</summary>
public abstract class TaskScheduleTests(IEngine engine) : TaskTests(engine)
{
    public static TheoryData<string, NewTask> OtherTasks => new()
    {
        { "agent", Given.Task(agentId: "a2").Task! },
        { "module", Given.Task(moduleName: "trace").Task! },
        { "payload", Given.Task(payload: "other").Task! },
        { "priority", Given.Task(priority: 1).Task! },
        { "retries", Given.Task(maxRetries: 7).Task! },
        { "time", Given.Task(scheduledAt: Given.LongAgo + 1).Task! },
    };

    [Fact]
    public async Task A_scheduled_task_is_found_whole()
    {
        (await Dbos.Send(Given.Task(priority: 4))).Value.Should().Be(new Application.Pipeline.Written(0, Duplicate: false));

        var task = await Stored();
        task.Should().BeEquivalentTo(
            new MeasurementTask(
                "t1",
                "a1",
                "ping",
                default,
                Given.LongAgo,
                Given.LongAgo - 5,
                MeasurementTaskStatus.Pending,
                DateTimeOffset.FromUnixTimeSeconds(Given.LongAgo),
                new RetryPolicy(3, 10),
                LeaseToken: 0) { Priority = 4 },
            options => options.Excluding(found => found.Payload));
        Text(task.Payload).Should().Be("work");
        (await Tasks.FindBare("t1", None))!.Payload.Length.Should().Be(0);
    }

    [Fact]
    public async Task The_same_task_again_is_a_duplicate_whatever_became_of_the_first()
    {
        await Dbos.Send(Given.Task());
        var again = async () => (await Dbos.Send(Given.Task())).Value;
        (await again()).Should().Be(new Application.Pipeline.Written(0, Duplicate: true));

        var taken = await TakeOne();
        (await again()).Should().Be(new Application.Pipeline.Written(0, Duplicate: true));
        await Dbos.Send(new AckTask("t1", taken.LeaseToken));

        (await again()).Should().Be(new Application.Pipeline.Written(0, Duplicate: true));
        (await Stored()).Status.Should().Be(MeasurementTaskStatus.Completed);
    }

    [Theory]
    [MemberData(nameof(OtherTasks))]
    public async Task Another_task_of_the_id_is_not_stored_and_the_answer_says_so(string what, NewTask other)
    {
        await Dbos.Send(Given.Task());
        var first = await Stored();

        (await Dbos.Send(new ScheduleTask(other))).Value.ContentDiffers.Should().BeTrue(what);

        ShouldEqual(await Stored(), first);
    }

    [Fact]
    public async Task A_time_that_the_caller_left_to_the_service_is_no_difference()
    {
        await Dbos.Send(Given.Task());

        (await Dbos.Send(Given.Task(scheduledAt: 0))).Value.Should().Be(new Application.Pipeline.Written(0, Duplicate: true));
    }

    [Fact]
    public async Task A_batch_stores_what_is_new_and_answers_each()
    {
        await Dbos.Send(Given.Task("t7"));
        var batch = Enumerable.Range(0, 250).Select(number => Given.Task($"t{number}")).Append(Given.Task("t3"));

        var answers = (await Dbos.Send(new ScheduleTasks([.. batch]))).Value;

        answers.Select((answer, i) => (answer.Value.Duplicate, i)).Where(one => one.Duplicate).Select(one => one.i).Should().Equal(7, 250);
        (await Listed(MeasurementTaskStatus.Pending)).Should().HaveCount(250);
    }

    [Fact]
    public async Task A_named_key_makes_a_write_once_and_is_no_key_for_another()
    {
        await Dbos.Send(Given.Task());
        var taken = await TakeOne();
        var nack = Given.Nack(token: MeasurementTask.AnyLease, delaySeconds: 60);

        (await Dbos.Send(nack, "key 1")).Value.Duplicate.Should().BeFalse();
        (await Dbos.Send(nack, "key 1")).Value.Duplicate.Should().BeTrue("without the key it would be refused");
        (await Dbos.Send(nack with { Reason = "another" }, "key 1")).Refusal!.Code.Should().Be(RefusalCode.IdempotencyKeyReused);
        (await Stored()).History.Should().ContainSingle().Which.LeaseToken.Should().Be(taken.LeaseToken);
    }

    [Fact]
    public async Task A_key_whose_write_was_refused_may_be_used_again()
    {
        (await Dbos.Send(new CancelTask("t1", "why"), "key 1")).IsRefused.Should().BeTrue();
        await Dbos.Send(Given.Task());

        (await Dbos.Send(new CancelTask("t1", "why"), "key 1")).Value.Duplicate.Should().BeFalse();
    }
}

public sealed class TaskScheduleOnSqlite(SqliteEngine engine) : TaskScheduleTests(engine), IClassFixture<SqliteEngine>;

public sealed class TaskScheduleOnRedis(RedisEngine engine) : TaskScheduleTests(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class TaskScheduleOnCluster(ClusterEngine engine) : TaskScheduleTests(engine);
