using Dbos.Application.Tasks;
using Dbos.Domain.Answers;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;

namespace Dbos.Infrastructure.Tests.Tasks;

public abstract class TaskEndTests(IEngine engine) : StoreTests(engine)
{
    [Fact]
    public async Task An_acknowledged_task_is_completed_and_kept_for_a_day()
    {
        await Deliver();

        (await Dbos.EffectOf(new AckTask("t1", LeaseToken: 1))).Should().Be(
            """
            + events {"id":"<id>","type":"task_acknowledged","message":"task t1 completed","metadata":{"task_id":"t1","agent_id":"a1","module_name":"ping","lease_token":"1"},"timestamp":<now>,"timestamp_ms":<now>,"trace_id":"trace-1","actor":"test"}
            - index tasks:leased t1 = <now+300>
            - record task:t1 version 2 deliveries 1 leased until <now+300> {"id":"t1","agent_id":"a1","module_name":"ping","scheduled_at":1500000000,"created_at":1499999995,"status":"pending","visible_at":"2017-07-14T02:40:00+00:00","retry_count":0,"max_retries":3,"last_error":""} payload work
            + record task:t1 version 3 deliveries 1 expires <now+86400> {"id":"t1","agent_id":"a1","module_name":"ping","scheduled_at":1500000000,"created_at":1499999995,"status":"completed","visible_at":"<now+300>","retry_count":0,"max_retries":3,"last_error":""} payload work
            """);
    }

    [Fact]
    public async Task A_second_acknowledgement_changes_nothing()
    {
        await Deliver();
        await Dbos.Send(new AckTask("t1", LeaseToken: 1));

        (await Dbos.EffectOf(new AckTask("t1", LeaseToken: 1))).Should().BeEmpty();
    }

    [Fact]
    public async Task A_nacked_task_waits_for_its_retry()
    {
        await Deliver();

        (await Dbos.EffectOf(new NackTask("t1", RetryDelaySeconds: 60, LeaseToken: 1, "no route"))).Should().Be(
            """
            + events {"id":"<id>","type":"task_nacked","message":"task t1 negatively acknowledged, returned to the queue","metadata":{"task_id":"t1","agent_id":"a1","module_name":"ping","lease_token":"1","retry_count":"1","max_retries":"3","reason":"no route"},"timestamp":<now>,"timestamp_ms":<now>,"trace_id":"trace-1","actor":"test"}
            - index tasks:leased t1 = <now+300>
            + index tasks:pending t1 = <now+60>
            + mark:NackTask:natural:t1:1 expires <now+86400> 3 <fingerprint>
            - record task:t1 version 2 deliveries 1 leased until <now+300> {"id":"t1","agent_id":"a1","module_name":"ping","scheduled_at":1500000000,"created_at":1499999995,"status":"pending","visible_at":"2017-07-14T02:40:00+00:00","retry_count":0,"max_retries":3,"last_error":""} payload work
            + record task:t1 version 3 deliveries 1 {"id":"t1","agent_id":"a1","module_name":"ping","scheduled_at":1500000000,"created_at":1499999995,"status":"pending","visible_at":"<now+60>","retry_count":1,"max_retries":3,"last_error":"no route"} payload work
            """);
    }

    [Fact]
    public async Task A_replay_of_a_nack_changes_nothing()
    {
        var nack = new NackTask("t1", RetryDelaySeconds: 60, LeaseToken: 1, "no route");
        await Deliver();
        await Dbos.Send(nack);

        (await Dbos.EffectOf(nack)).Should().BeEmpty();
    }

    [Fact]
    public async Task A_nacked_task_that_is_out_of_retries_is_dead_lettered()
    {
        await Deliver(maxRetries: 1);
        await Dbos.Send(new NackTask("t1", 0, LeaseToken: 1, "first"));
        await TakeOne(seconds: 0);

        (await Dbos.EffectOf(new NackTask("t1", 0, LeaseToken: 2, "second"))).Should().Be(
            """
            + events {"id":"<id>","type":"task_dead_lettered","message":"task t1 moved to the dead-letter queue","metadata":{"task_id":"t1","agent_id":"a1","module_name":"ping","lease_token":"2","retry_count":"2","max_retries":"1","reason":"second"},"timestamp":<now>,"timestamp_ms":<now>,"trace_id":"trace-1","actor":"test"}
            + events {"id":"<id>","type":"task_nacked","message":"task t1 negatively acknowledged","metadata":{"task_id":"t1","agent_id":"a1","module_name":"ping","lease_token":"2","retry_count":"2","max_retries":"1","reason":"second"},"timestamp":<now>,"timestamp_ms":<now>,"trace_id":"trace-1","actor":"test"}
            + index tasks:dead t1 = <now>
            - index tasks:leased t1 = <now+300>
            + mark:NackTask:natural:t1:2 expires <now+86400> 5 <fingerprint>
            - record task:t1 version 4 deliveries 2 leased until <now+300> {"id":"t1","agent_id":"a1","module_name":"ping","scheduled_at":1500000000,"created_at":1499999995,"status":"pending","visible_at":"<now>","retry_count":1,"max_retries":1,"last_error":"first"} payload work
            + record task:t1 version 5 deliveries 2 {"id":"t1","agent_id":"a1","module_name":"ping","scheduled_at":1500000000,"created_at":1499999995,"status":"failed","visible_at":"<now>","retry_count":2,"max_retries":1,"last_error":"second"} payload work
            """);
    }

    [Fact]
    public async Task A_wrong_lease_token_is_told_among_the_refusals_and_nothing_else()
    {
        await Deliver();

        (await Dbos.EffectOf(new AckTask("t1", LeaseToken: 9))).Should().Be(
            """
            + refusals {"id":"<id>","type":"task_ack_error","message":"lease 9 of task 't1' is lost: the task is inflight, its latest delivery is 1","metadata":{"task_id":"t1","code":"LeaseLost"},"timestamp":<now>,"timestamp_ms":<now>,"trace_id":"trace-1","actor":"test"}
            """);
    }

    [Fact]
    public async Task The_lease_sweep_returns_an_expired_lease_to_the_queue()
    {
        await Deliver(seconds: 1);

        var effect = await SweepUntilExpired();

        effect.Should().Be(
            """
            + events {"id":"<id>","type":"task_lease_expired","message":"task t1 lease expired, returned to the queue","metadata":{"task_id":"t1","agent_id":"a1","module_name":"ping","lease_token":"1","retry_count":"1","max_retries":"3","reason":"lease 1 expired"},"timestamp":<now>,"timestamp_ms":<now>,"trace_id":"","actor":"dbos:lease-sweep"}
            - index tasks:leased t1 = <now>
            + index tasks:pending t1 = <now>
            - record task:t1 version 2 deliveries 1 leased until <now> {"id":"t1","agent_id":"a1","module_name":"ping","scheduled_at":1500000000,"created_at":1499999995,"status":"pending","visible_at":"2017-07-14T02:40:00+00:00","retry_count":0,"max_retries":3,"last_error":""} payload work
            + record task:t1 version 3 deliveries 1 {"id":"t1","agent_id":"a1","module_name":"ping","scheduled_at":1500000000,"created_at":1499999995,"status":"pending","visible_at":"<now>","retry_count":1,"max_retries":3,"last_error":"lease 1 expired"} payload work
            """);
        (await Dbos.EffectOf(Dbos.Sweep<LeaseSweep>)).Should().BeEmpty();
    }

    [Fact]
    public async Task The_lease_sweep_leaves_a_running_lease_alone()
    {
        await Deliver();

        (await Dbos.EffectOf(Dbos.Sweep<LeaseSweep>)).Should().BeEmpty();
    }

    [Fact]
    public async Task A_holder_whose_lease_expired_is_refused_after_the_next_delivery()
    {
        await Deliver(seconds: 1);
        await SweepUntilExpired();
        await TakeOne(seconds: 0);

        (await Dbos.Send(new AckTask("t1", LeaseToken: 1))).Refusal!.Code.Should().Be(RefusalCode.LeaseLost);
        (await Dbos.Send(new AckTask("t1", LeaseToken: 2))).IsRefused.Should().BeFalse();
    }

    [Fact]
    public async Task A_completed_task_is_gone_after_its_retention()
    {
        var dbos = await Open(new OpenOptions { Settings = settings => settings with { CompletedTaskRetention = TimeSpan.FromSeconds(1) } });
        await dbos.Send(Given.Task());
        await dbos.Send(new ListDueTasks(0, 1, 0));
        await dbos.Send(new AckTask("t1", LeaseToken: 1));
        (await dbos.Send(new GetTask("t1"))).Value.Status.Should().Be(MeasurementTaskStatus.Completed);

        await Testing.Eventually.True(
            async () => (await dbos.Send(new GetTask("t1"))).Refusal?.Code == RefusalCode.NotFound, TimeSpan.FromSeconds(5), "the task is gone");
    }

    private async Task Deliver(int maxRetries = 0, long seconds = 0)
    {
        await Dbos.Send(Given.Task(maxRetries: maxRetries));
        await TakeOne(seconds);
    }

    private async Task TakeOne(long seconds) =>
        (await Dbos.Send(new ListDueTasks(0, 1, seconds))).Value.Tasks.Should().ContainSingle();

    private Task<string> SweepUntilExpired() => Dbos.EffectOf(() => Testing.Eventually.True(
        async () => await Dbos.Sweep<LeaseSweep>() > 0, TimeSpan.FromSeconds(5), "the lease expires"));
}

public sealed class TaskEndOnRedis(RedisEngine engine) : TaskEndTests(engine), IClassFixture<RedisEngine>;

public sealed class TaskEndOnSqlite(SqliteEngine engine) : TaskEndTests(engine), IClassFixture<SqliteEngine>;
