using Dbos.Application.Tasks;
using Dbos.Domain.Answers;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;

namespace Dbos.Infrastructure.Tests.Tasks;

/// <summary>How deliveries and tasks end, and what is left of them.</summary>
public abstract class TaskEndTests(IEngine engine) : TaskTests(engine)
{
    [Fact]
    public async Task An_acknowledged_task_is_completed_and_found_with_its_payload()
    {
        await Dbos.Send(Given.Task());
        var taken = await TakeOne();

        (await Dbos.Send(new AckTask("t1", taken.LeaseToken))).Value.Duplicate.Should().BeFalse();

        var task = await Stored();
        (task.Status, Text(task.Payload), task.Deliveries).Should().Be((MeasurementTaskStatus.Completed, "work", 1));
        task.EndedAt.Should().BeCloseTo(Now, TimeSpan.FromSeconds(30));
        (await Dbos.Send(new AckTask("t1", taken.LeaseToken))).Value.Duplicate.Should().BeTrue();
        (await Dbos.Send(new GetQueueStats())).Value.Totals["completed"].Should().Be(1);
    }

    [Fact]
    public async Task A_nacked_task_returns_after_its_delay_and_its_history_says_why()
    {
        await Dbos.Send(Given.Task());
        var taken = await TakeOne();
        var nack = Given.Nack(delaySeconds: 60, token: taken.LeaseToken);

        (await Dbos.Send(nack)).Value.Duplicate.Should().BeFalse();
        (await Dbos.Send(nack)).Value.Duplicate.Should().BeTrue();

        var task = await Stored();
        (task.Status, task.Failures, task.LastError).Should().Be((MeasurementTaskStatus.Pending, 1, "no route"));
        task.VisibleAt.Should().BeCloseTo(Now.AddSeconds(60), TimeSpan.FromSeconds(30));
        task.History.Should().ContainSingle().Which.Should().Match<TaskFailure>(
            failure => failure.LeaseToken == taken.LeaseToken && failure.Kind == TaskFailure.Nack && failure.Error == "no route");
        (await Take()).Should().BeEmpty();
    }

    [Fact]
    public async Task A_task_out_of_retries_is_a_dead_letter()
    {
        var task = await Die();

        (task.Status, task.DeadLetterReason, task.LastError, task.Failures).Should().Be((MeasurementTaskStatus.Failed, "max_retries", "second", 2));
        (await Listed(MeasurementTaskStatus.Failed)).Should().Equal("t1");
        (await Take()).Should().BeEmpty();
        (await Dbos.Send(new GetQueueStats())).Value.Totals.Should().Contain(
            new Dictionary<string, long> { ["nacked"] = 2, ["dead_lettered"] = 1 });
    }

    [Fact]
    public async Task An_expired_lease_returns_the_task_to_when_it_was_scheduled()
    {
        await Dbos.Send(Given.Task());
        var taken = await TakeOne(TimeSpan.FromMilliseconds(1));

        await Expire();

        var task = await Stored();
        (task.Status, task.Expiries, task.VisibleAt.ToUnixTimeSeconds()).Should().Be((MeasurementTaskStatus.Pending, 1, Given.LongAgo));
        (await Tasks.ExpireLeases(Caller, None)).Should().Be(0);
        var again = await TakeOne();
        (await Dbos.Send(new AckTask("t1", taken.LeaseToken))).Refusal!.Code.Should().Be(RefusalCode.LeaseLost);
        (await Dbos.Send(new AckTask("t1", again.LeaseToken))).IsRefused.Should().BeFalse();
    }

    [Fact]
    public async Task Hundreds_of_leases_expire_in_slices_and_running_ones_do_not()
    {
        // Of each partition a slice is ended at once.
        var dbos = await Open(new OpenOptions { Settings = settings => settings with { Partitions = 1 } });
        var tasks = dbos.Get<ITaskRepository>();
        await dbos.Send(new ScheduleTasks([.. Enumerable.Range(0, 250).Select(number => Given.Task($"t{number}"))]));
        (await tasks.Take(new TakeOrder(TaskFilter.Any, Due: null, 240, TimeSpan.FromMilliseconds(1)), Caller, None)).Should().HaveCount(240);
        (await tasks.Take(new TakeOrder(TaskFilter.Any, Due: null, 100, TimeSpan.FromMinutes(5)), Caller, None)).Should().HaveCount(10);
        await Task.Delay(20);

        var ended = new List<int>();
        while (await tasks.ExpireLeases(Caller, None) is > 0 and var some)
        {
            ended.Add(some);
        }

        ended.Should().OnlyContain(some => some <= 100);
        ended.Sum().Should().Be(240);
        (await tasks.List(MeasurementTaskStatus.Inflight, TaskFilter.Any, new(0, string.Empty), None)).Items.Should().HaveCount(10);
    }

    [Fact]
    public async Task Ended_tasks_are_purged_after_their_retention_and_count_no_more_from_then_on()
    {
        var dbos = await Open(new OpenOptions
        {
            Policy = OpenOptions.DefaultPolicy with { CompletedTaskRetention = TimeSpan.FromSeconds(2) },
        });
        var tasks = dbos.Get<ITaskRepository>();
        await dbos.Send(Given.Task());
        await dbos.Send(Given.Task("t2"));
        await dbos.Send(new CancelTask("t2", string.Empty));
        var token = (await dbos.Send(Given.Due())).Value.Single().LeaseToken;
        await dbos.Send(new AckTask("t1", token));
        (await tasks.PurgeEnded(None)).Should().Be(0);

        await Testing.Eventually.True(
            async () => (await dbos.Send(new GetQueueStats())).Value.Tasks[MeasurementTaskStatus.Completed] == 0,
            TimeSpan.FromSeconds(10),
            "the retention passes");
        (await tasks.List(MeasurementTaskStatus.Completed, TaskFilter.Any, new(0, string.Empty), None)).Items.Should().BeEmpty();
        (await tasks.PurgeEnded(None)).Should().Be(2);

        (await tasks.PurgeEnded(None)).Should().Be(0);
        (await tasks.Find("t1", None)).Should().BeNull();
        (await dbos.Send(new GetQueueStats())).Value.Totals["purged"].Should().Be(2);
        (await dbos.Send(Given.Task())).Value.Duplicate.Should().BeFalse("the id is free again");
        (await dbos.Send(Given.Due())).Value.Single().LeaseToken.Should().BeGreaterThan(token);
    }

    [Fact]
    public async Task Deliveries_that_did_not_arrive_return_at_once_and_count_as_no_failure()
    {
        await Dbos.Send(Given.Task());
        await Dbos.Send(Given.Task("t2"));
        var taken = await Take();
        await Dbos.Send(new AckTask("t2", taken.Single(task => task.Id == "t2").LeaseToken));

        await Tasks.Release([.. taken.Select(task => task.Delivery)], Caller, None);

        var task = await Stored();
        (task.Status, task.RetryCount, task.Deliveries).Should().Be((MeasurementTaskStatus.Pending, 0, 1));
        (await Stored("t2")).Status.Should().Be(MeasurementTaskStatus.Completed);
        (await Take()).Select(one => one.Id).Should().Equal("t1");
    }

    [Fact]
    public async Task An_extended_lease_is_counted_and_no_event()
    {
        await Dbos.Send(Given.Task());
        var taken = await TakeOne();
        var extend = new ExtendTaskLease("t1", taken.LeaseToken, Seconds: 600);

        (await Dbos.Send(extend)).Value.Duplicate.Should().BeFalse();
        (await Dbos.Send(extend with { Seconds = 10 })).Value.Duplicate.Should().BeTrue();

        (await Stored()).VisibleAt.Should().BeCloseTo(Now.AddSeconds(600), TimeSpan.FromSeconds(30));
        (await Dbos.Send(new GetQueueStats())).Value.Totals["lease_extended"].Should().Be(1);
    }

    [Fact]
    public async Task A_cancelled_task_is_delivered_to_nobody()
    {
        await Dbos.Send(Given.Task());
        await Dbos.Send(Given.Task("t2", Given.LongAgo + 1));

        await Dbos.Send(new CancelTask("t1", "no longer wanted"));

        (await Take()).Select(task => task.Id).Should().Equal("t2");
        (await Listed(MeasurementTaskStatus.Cancelled)).Should().Equal("t1");
    }

    [Fact]
    public async Task A_dead_letter_that_is_requeued_waits_again_and_keeps_its_history()
    {
        var dead = await Die();

        (await Dbos.Send(new RequeueDeadLetterTasks(["t1", "other"], TaskFilter.Any, All: false))).Value
            .Should().BeEquivalentTo(new Requeued(1, ["other"], new DeadLetterCount(0, IsComplete: true)));

        var task = await TakeOne();
        task.LeaseToken.Should().BeGreaterThan(dead.LeaseToken);
        (task.RetryCount, task.DeadLetterReason, task.EndedAt).Should().Be((0, string.Empty, null));
        task.History.Select(failure => failure.Error).Should().Equal("first", "second");
    }

    [Fact]
    public async Task A_dead_letter_that_is_deleted_is_found_nowhere_and_its_id_is_free()
    {
        await Die();

        (await Dbos.Send(new DeleteDeadLetterTask("t1"))).IsRefused.Should().BeFalse();

        (await Tasks.Find("t1", None)).Should().BeNull();
        (await Listed(status: null)).Should().BeEmpty();
        (await Dbos.Send(new GetQueueStats())).Value.Tasks.Values.Sum().Should().Be(0);
        (await Dbos.Send(new DeleteDeadLetterTask("t1"))).Refusal!.Code.Should().Be(RefusalCode.NotFound);
        (await Dbos.Send(Given.Task())).Value.Duplicate.Should().BeFalse();
    }

    [Fact]
    public async Task Those_deliveries_are_over_whose_tasks_ended_went_back_were_delivered_again_or_are_gone()
    {
        await Dbos.SendAll(Enumerable.Range(0, 250).Select(number => Given.Task($"t{number}", maxRetries: 1)));
        var held = (await Take(limit: 250, reportsEnds: true)).ToDictionary(task => task.Id, task => task.Delivery);
        held.Should().HaveCount(250);
        (await Tasks.FindEnded([.. held.Values], None)).Should().BeEmpty();
        await Dbos.Send(new AckTask("t1", held["t1"].LeaseToken));
        await Dbos.Send(new CancelTask("t2", string.Empty));
        await Tasks.Release([held["t3"]], Caller, None);
        await Dbos.Send(Given.Nack(id: "t4", token: held["t4"].LeaseToken));
        (await Take()).Select(task => task.Id).Should().BeEquivalentTo("t3", "t4");
        var unknown = new TaskDelivery("unknown", 1);

        var ended = await Tasks.FindEnded([.. held.Values, unknown], None);

        ended.Should().BeEquivalentTo([held["t1"], held["t2"], held["t3"], held["t4"], unknown]);
        (await Tasks.FindEnded([], None)).Should().BeEmpty();
    }

    [Fact]
    public async Task Dead_letters_are_counted_by_whose_they_are()
    {
        await Dbos.SendAll(
            from agent in new[] { "a1", "a2" }
            from module in new[] { "ping", "trace" }
            from number in Enumerable.Range(0, 3)
            select Given.Task($"{agent} {module} {number}", agentId: agent, moduleName: module, maxRetries: 1));
        for (var failure = 0; failure < 2; failure++)
        {
            await Dbos.SendAll((await Take()).Select(task => Given.Nack(id: task.Id, token: task.LeaseToken)));
        }

        (TaskFilter, int)[] expected = [(TaskFilter.Any, 12), (new("a1", ""), 6), (new("", "trace"), 6), (new("a2", "ping"), 3), (new("a3", ""), 0)];
        foreach (var (filter, count) in expected)
        {
            (await Tasks.CountDeadLetters(filter, None)).Should().Be(new DeadLetterCount(count, IsComplete: true));
        }
    }

    [Fact]
    public async Task A_call_that_has_no_time_requeues_a_slice_and_says_how_many_are_left()
    {
        const int Dead = 300;
        await Dbos.SendAll(Enumerable.Range(0, Dead).Select(number => Given.Task($"t{number}", maxRetries: 1)));
        for (var failure = 0; failure < 2; failure++)
        {
            await Dbos.SendAll((await Take(limit: Dead)).Select(task => Given.Nack(id: task.Id, token: task.LeaseToken)));
        }

        var (total, left) = (0L, (long)Dead);
        while (left > 0)
        {
            var requeued = (await Dbos.Send(new RequeueDeadLetterTasks([], new TaskFilter("a1", ""), All: false), timeLeft: TimeSpan.Zero)).Value;
            requeued.Count.Should().Be(100);
            requeued.Left.IsComplete.Should().BeTrue();
            total += requeued.Count;
            left = requeued.Left.Count;
            left.Should().Be(Dead - total);
        }

        (await Listed(MeasurementTaskStatus.Failed)).Should().BeEmpty();
        (await Take(limit: Dead)).Should().HaveCount(Dead);
    }

    [Fact]
    public async Task The_statistics_say_how_many_there_are_and_how_fast_they_go()
    {
        await Die();
        await Dbos.SendAll(Enumerable.Range(0, 6).Select(number => Given.Task($"done {number}")));
        var taken = await Take();
        await Dbos.SendAll(taken.Take(4).Select(task => new AckTask(task.Id, task.LeaseToken)));
        await Dbos.Send(new CancelTask(taken[4].Id, string.Empty));
        var now = Now.ToUnixTimeSeconds();
        await Dbos.SendAll([Given.Task("oldest", now - 100), Given.Task("urgent", now - 50, priority: 9), Given.Task("not due", now + 1_000)]);

        var stats = (await Dbos.Send(new GetQueueStats())).Value;

        stats.Tasks.Should().BeEquivalentTo(new Dictionary<MeasurementTaskStatus, long>
        {
            [MeasurementTaskStatus.Pending] = 3,
            [MeasurementTaskStatus.Inflight] = 1,
            [MeasurementTaskStatus.Completed] = 4,
            [MeasurementTaskStatus.Failed] = 1,
            [MeasurementTaskStatus.Cancelled] = 1,
        });
        stats.OldestPendingAge.Should().BeCloseTo(TimeSpan.FromSeconds(100), TimeSpan.FromSeconds(20));
        stats.Totals.Should().Contain(
            new Dictionary<string, long> { ["scheduled"] = 10, ["delivered"] = 8, ["completed"] = 4, ["nacked"] = 2, ["cancelled"] = 1 });
        stats.ScheduledPerSecond.Should().BeInRange(10 / 70.0, 10 / 60.0);
        stats.CompletedPerSecond.Should().BeInRange(4 / 70.0, 4 / 60.0);
        stats.FailedPerSecond.Should().BeInRange(2 / 70.0, 2 / 60.0);
    }
}

public sealed class TaskEndOnSqlite(SqliteEngine engine) : TaskEndTests(engine), IClassFixture<SqliteEngine>;

public sealed class TaskEndOnRedis(RedisEngine engine) : TaskEndTests(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class TaskEndOnCluster(ClusterEngine engine) : TaskEndTests(engine);
