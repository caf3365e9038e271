using Dbos.Application.Tasks;
using Dbos.Domain.Answers;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;

namespace Dbos.Infrastructure.Tests.Tasks;

public abstract class TaskEndTests(IEngine engine) : StoreTests(engine)
{
    [Fact]
    public async Task An_acknowledged_task_is_completed()
    {
        await Deliver();

        (await Dbos.EffectOf(new AckTask("t1", LeaseToken: 1))).Should().Be(
            """
            + count completed 1, lately 1
            + events {"id":"<id>","type":"task_acknowledged","message":"task t1 completed","metadata":{"task_id":"t1","agent_id":"a1","module_name":"ping","lease_token":"1"},"timestamp":<now>,"timestamp_ms":<now>,"trace_id":"trace-1","actor":"test"}
            + index tasks:completed t1 = <now>
            + index tasks:completed:agent:a1 t1 = <now>
            + index tasks:completed:both:a1:ping t1 = <now>
            + index tasks:completed:module:ping t1 = <now>
            - index tasks:inflight t1 = <now+300>
            - index tasks:inflight:agent:a1 t1 = <now+300>
            - index tasks:inflight:both:a1:ping t1 = <now+300>
            - index tasks:inflight:module:ping t1 = <now+300>
            - record task:t1 version 2 deliveries 1 leased until <now+300> {"id":"t1","agent_id":"a1","module_name":"ping","scheduled_at":1500000000,"created_at":1499999995,"status":"pending","visible_at":"2017-07-14T02:40:00+00:00","retry":{"max_retries":3,"max_expiries":10},"priority":0,"failures":0,"expiries":0,"retry_count":0,"last_error":"","dead_letter_reason":"","ended_at":null,"history":[]} payload work
            + record task:t1 version 3 deliveries 1 {"id":"t1","agent_id":"a1","module_name":"ping","scheduled_at":1500000000,"created_at":1499999995,"status":"completed","visible_at":"<now+300>","retry":{"max_retries":3,"max_expiries":10},"priority":0,"failures":0,"expiries":0,"retry_count":0,"last_error":"","dead_letter_reason":"","ended_at":"<now>","history":[]} payload work
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

        (await Dbos.EffectOf(Given.Nack(delaySeconds: 60))).Should().Be(
            """
            + count nacked 1, lately 1
            + events {"id":"<id>","type":"task_nacked","message":"task t1 negatively acknowledged, returned to the queue","metadata":{"task_id":"t1","agent_id":"a1","module_name":"ping","lease_token":"1","failure_count":"1","max_retries":"3","reason":"no route"},"timestamp":<now>,"timestamp_ms":<now>,"trace_id":"trace-1","actor":"test"}
            - index tasks:inflight t1 = <now+300>
            - index tasks:inflight:agent:a1 t1 = <now+300>
            - index tasks:inflight:both:a1:ping t1 = <now+300>
            - index tasks:inflight:module:ping t1 = <now+300>
            + index tasks:pending t1 = 9 at <now+60>
            + index tasks:pending:agent:a1 t1 = 9 at <now+60>
            + index tasks:pending:both:a1:ping t1 = 9 at <now+60>
            + index tasks:pending:module:ping t1 = 9 at <now+60>
            + index turns 9a1:ping = 9 at <now+60>
            + index turns:agent:a1 9a1:ping = 9 at <now+60>
            + index turns:module:ping 9a1:ping = 9 at <now+60>
            + mark:NackTask:natural:t1:1 expires <now+86400> 3 <fingerprint>
            - record task:t1 version 2 deliveries 1 leased until <now+300> {"id":"t1","agent_id":"a1","module_name":"ping","scheduled_at":1500000000,"created_at":1499999995,"status":"pending","visible_at":"2017-07-14T02:40:00+00:00","retry":{"max_retries":3,"max_expiries":10},"priority":0,"failures":0,"expiries":0,"retry_count":0,"last_error":"","dead_letter_reason":"","ended_at":null,"history":[]} payload work
            + record task:t1 version 3 deliveries 1 {"id":"t1","agent_id":"a1","module_name":"ping","scheduled_at":1500000000,"created_at":1499999995,"status":"pending","visible_at":"<now+60>","retry":{"max_retries":3,"max_expiries":10},"priority":0,"failures":1,"expiries":0,"retry_count":1,"last_error":"no route","dead_letter_reason":"","ended_at":null,"history":[{"lease_token":1,"failed_at":<now>,"kind":"nack","error":"no route"}]} payload work
            """);
    }

    [Fact]
    public async Task A_replay_of_a_nack_changes_nothing()
    {
        var nack = Given.Nack(delaySeconds: 60);
        await Deliver();
        await Dbos.Send(nack);

        (await Dbos.EffectOf(nack)).Should().BeEmpty();
    }

    [Fact]
    public async Task A_nacked_task_that_is_out_of_retries_is_dead_lettered()
    {
        await Deliver(maxRetries: 1);
        await Dbos.Send(Given.Nack(reason: "first"));
        await TakeOne(seconds: 0);

        (await Dbos.EffectOf(Given.Nack(token: 2, reason: "second"))).Should().Be(
            """
            + count dead_lettered 1, lately 1
            - count nacked 1, lately 1
            + count nacked 2, lately 2
            + events {"id":"<id>","type":"task_dead_lettered","message":"task t1 moved to the dead-letter queue: max_retries exceeded","metadata":{"task_id":"t1","agent_id":"a1","module_name":"ping","lease_token":"2","failure_count":"2","max_retries":"1","reason":"second"},"timestamp":<now>,"timestamp_ms":<now>,"trace_id":"trace-1","actor":"test"}
            + events {"id":"<id>","type":"task_nacked","message":"task t1 negatively acknowledged","metadata":{"task_id":"t1","agent_id":"a1","module_name":"ping","lease_token":"2","failure_count":"2","max_retries":"1","reason":"second"},"timestamp":<now>,"timestamp_ms":<now>,"trace_id":"trace-1","actor":"test"}
            + index tasks:failed t1 = <now>
            + index tasks:failed:agent:a1 t1 = <now>
            + index tasks:failed:both:a1:ping t1 = <now>
            + index tasks:failed:module:ping t1 = <now>
            - index tasks:inflight t1 = <now+300>
            - index tasks:inflight:agent:a1 t1 = <now+300>
            - index tasks:inflight:both:a1:ping t1 = <now+300>
            - index tasks:inflight:module:ping t1 = <now+300>
            + mark:NackTask:natural:t1:2 expires <now+86400> 5 <fingerprint>
            - record task:t1 version 4 deliveries 2 leased until <now+300> {"id":"t1","agent_id":"a1","module_name":"ping","scheduled_at":1500000000,"created_at":1499999995,"status":"pending","visible_at":"<now>","retry":{"max_retries":1,"max_expiries":10},"priority":0,"failures":1,"expiries":0,"retry_count":1,"last_error":"first","dead_letter_reason":"","ended_at":null,"history":[{"lease_token":1,"failed_at":<now>,"kind":"nack","error":"first"}]} payload work
            + record task:t1 version 5 deliveries 2 {"id":"t1","agent_id":"a1","module_name":"ping","scheduled_at":1500000000,"created_at":1499999995,"status":"failed","visible_at":"<now>","retry":{"max_retries":1,"max_expiries":10},"priority":0,"failures":2,"expiries":0,"retry_count":2,"last_error":"second","dead_letter_reason":"max_retries","ended_at":"<now>","history":[{"lease_token":1,"failed_at":<now>,"kind":"nack","error":"first"},{"lease_token":2,"failed_at":<now>,"kind":"nack","error":"second"}]} payload work
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
            + count lease_expired 1, lately 1
            + events {"id":"<id>","type":"task_lease_expired","message":"task t1 lease expired, returned to the queue","metadata":{"task_id":"t1","agent_id":"a1","module_name":"ping","lease_token":"1","expiry_count":"1","max_expiries":"10","reason":"lease 1 expired"},"timestamp":<now>,"timestamp_ms":<now>,"trace_id":"","actor":"dbos:lease-sweep"}
            - index tasks:inflight t1 = <now>
            - index tasks:inflight:agent:a1 t1 = <now>
            - index tasks:inflight:both:a1:ping t1 = <now>
            - index tasks:inflight:module:ping t1 = <now>
            + index tasks:pending t1 = 9 at 1500000000000
            + index tasks:pending:agent:a1 t1 = 9 at 1500000000000
            + index tasks:pending:both:a1:ping t1 = 9 at 1500000000000
            + index tasks:pending:module:ping t1 = 9 at 1500000000000
            + index turns 9a1:ping = 9 at 1500000000000
            + index turns:agent:a1 9a1:ping = 9 at 1500000000000
            + index turns:module:ping 9a1:ping = 9 at 1500000000000
            - record task:t1 version 2 deliveries 1 leased until <now> {"id":"t1","agent_id":"a1","module_name":"ping","scheduled_at":1500000000,"created_at":1499999995,"status":"pending","visible_at":"2017-07-14T02:40:00+00:00","retry":{"max_retries":3,"max_expiries":10},"priority":0,"failures":0,"expiries":0,"retry_count":0,"last_error":"","dead_letter_reason":"","ended_at":null,"history":[]} payload work
            + record task:t1 version 3 deliveries 1 {"id":"t1","agent_id":"a1","module_name":"ping","scheduled_at":1500000000,"created_at":1499999995,"status":"pending","visible_at":"2017-07-14T02:40:00+00:00","retry":{"max_retries":3,"max_expiries":10},"priority":0,"failures":0,"expiries":1,"retry_count":1,"last_error":"lease 1 expired","dead_letter_reason":"","ended_at":null,"history":[{"lease_token":1,"failed_at":<now>,"kind":"lease_expired","error":"lease 1 expired"}]} payload work
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
    public async Task The_retention_sweep_purges_a_completed_task_after_its_retention_and_not_before()
    {
        var dbos = await Open(new OpenOptions
        {
            Policy = OpenOptions.DefaultPolicy with { CompletedTaskRetention = TimeSpan.FromSeconds(1) },
        });
        await dbos.Send(Given.Task());
        await dbos.Send(Given.Due());
        await dbos.Send(new AckTask("t1", LeaseToken: 1));
        (await dbos.EffectOf(dbos.Sweep<RetentionSweep>)).Should().BeEmpty();

        var purged = await dbos.EffectOf(() => Testing.Eventually.True(
            async () => await dbos.Sweep<RetentionSweep>() > 0, TimeSpan.FromSeconds(5), "the task is purged"));

        purged.Should().Be(
            """
            + count purged 1, lately 1
            + events {"id":"<id>","type":"task_purged","message":"task t1 purged: completed, and kept for long enough","metadata":{"task_id":"t1","agent_id":"a1","module_name":"ping","lease_token":"1"},"timestamp":<now>,"timestamp_ms":<now>,"trace_id":"","actor":"dbos:retention-sweep"}
            - index tasks:completed t1 = <now>
            - index tasks:completed:agent:a1 t1 = <now>
            - index tasks:completed:both:a1:ping t1 = <now>
            - index tasks:completed:module:ping t1 = <now>
            - record task:t1 version 3 deliveries 1 {"id":"t1","agent_id":"a1","module_name":"ping","scheduled_at":1500000000,"created_at":1499999995,"status":"completed","visible_at":"<now+300>","retry":{"max_retries":3,"max_expiries":10},"priority":0,"failures":0,"expiries":0,"retry_count":0,"last_error":"","dead_letter_reason":"","ended_at":"<now>","history":[]} payload work
            """);
    }

    private async Task Deliver(int maxRetries = 0, long seconds = 0)
    {
        await Dbos.Send(Given.Task(maxRetries: maxRetries));
        await TakeOne(seconds);
    }

    private async Task TakeOne(long seconds) =>
        (await Dbos.Send(Given.Due(limit: 1, seconds: seconds))).Value.Should().ContainSingle();

    private Task<string> SweepUntilExpired() => Dbos.EffectOf(() => Testing.Eventually.True(
        async () => await Dbos.Sweep<LeaseSweep>() > 0, TimeSpan.FromSeconds(5), "the lease expires"));
}

public sealed class TaskEndOnSqlite(SqliteEngine engine) : TaskEndTests(engine), IClassFixture<SqliteEngine>;
