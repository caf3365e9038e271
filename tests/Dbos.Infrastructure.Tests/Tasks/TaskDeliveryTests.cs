using Dbos.Application.Tasks;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;

namespace Dbos.Infrastructure.Tests.Tasks;

public abstract class TaskDeliveryTests(IEngine engine) : StoreTests(engine)
{
    private static readonly ListDueTasks Due = Given.Due();

    [Fact]
    public async Task A_scheduled_task_waits_with_its_payload_beside_it()
    {
        (await Dbos.EffectOf(Given.Task())).Should().Be(
            """
            + count scheduled 1, lately 1
            + events {"id":"<id>","type":"task_scheduled","message":"task t1 scheduled","metadata":{"task_id":"t1","agent_id":"a1","module_name":"ping","lease_token":"0","visible_at":"1500000000"},"timestamp":<now>,"timestamp_ms":<now>,"trace_id":"trace-1","actor":"test"}
            + index tasks:pending t1 = 9 at 1500000000000
            + index tasks:pending:agent:a1 t1 = 9 at 1500000000000
            + index tasks:pending:both:a1:ping t1 = 9 at 1500000000000
            + index tasks:pending:module:ping t1 = 9 at 1500000000000
            + index turns 9a1:ping = 9 at 1500000000000
            + index turns:agent:a1 9a1:ping = 9 at 1500000000000
            + index turns:module:ping 9a1:ping = 9 at 1500000000000
            + mark:ScheduleTask:natural:t1:t1 expires <now+86400> 1 <fingerprint>
            + record task:t1 version 1 deliveries 0 {"id":"t1","agent_id":"a1","module_name":"ping","scheduled_at":1500000000,"created_at":1499999995,"status":"pending","visible_at":"2017-07-14T02:40:00+00:00","retry":{"max_retries":3,"max_expiries":10},"priority":0,"failures":0,"expiries":0,"retry_count":0,"last_error":"","dead_letter_reason":"","ended_at":null,"history":[]} payload work
            """);
    }

    [Fact]
    public async Task A_replay_of_a_schedule_changes_nothing()
    {
        await Dbos.Send(Given.Task());

        (await Dbos.EffectOf(Given.Task())).Should().BeEmpty();
    }

    [Fact]
    public async Task Due_tasks_are_leased_and_one_event_tells_of_it()
    {
        await Dbos.Send(Given.Task());

        (await Dbos.EffectOf(Due)).Should().Be(
            """
            + count delivered 1, lately 1
            + events {"id":"<id>","type":"tasks_retrieved","message":"due tasks taken","metadata":{"lease_tokens":{"t1":1},"agents":["a1"]},"timestamp":<now>,"timestamp_ms":<now>,"trace_id":"trace-1","actor":"test"}
            + index tasks:inflight t1 = <now+300>
            + index tasks:inflight:agent:a1 t1 = <now+300>
            + index tasks:inflight:both:a1:ping t1 = <now+300>
            + index tasks:inflight:module:ping t1 = <now+300>
            - index tasks:pending t1 = 9 at 1500000000000
            - index tasks:pending:agent:a1 t1 = 9 at 1500000000000
            - index tasks:pending:both:a1:ping t1 = 9 at 1500000000000
            - index tasks:pending:module:ping t1 = 9 at 1500000000000
            - index turns 9a1:ping = 9 at 1500000000000
            - index turns:agent:a1 9a1:ping = 9 at 1500000000000
            - index turns:module:ping 9a1:ping = 9 at 1500000000000
            - record task:t1 version 1 deliveries 0 {"id":"t1","agent_id":"a1","module_name":"ping","scheduled_at":1500000000,"created_at":1499999995,"status":"pending","visible_at":"2017-07-14T02:40:00+00:00","retry":{"max_retries":3,"max_expiries":10},"priority":0,"failures":0,"expiries":0,"retry_count":0,"last_error":"","dead_letter_reason":"","ended_at":null,"history":[]} payload work
            + record task:t1 version 2 deliveries 1 leased until <now+300> {"id":"t1","agent_id":"a1","module_name":"ping","scheduled_at":1500000000,"created_at":1499999995,"status":"pending","visible_at":"2017-07-14T02:40:00+00:00","retry":{"max_retries":3,"max_expiries":10},"priority":0,"failures":0,"expiries":0,"retry_count":0,"last_error":"","dead_letter_reason":"","ended_at":null,"history":[]} payload work
            """);
    }

    [Fact]
    public async Task With_nothing_due_nothing_changes()
    {
        await Dbos.Send(Given.Task(scheduledAt: 2_000_000_000));

        (await Dbos.EffectOf(Due)).Should().BeEmpty();
    }

    [Fact]
    public async Task A_refused_take_is_told_among_the_refusals_and_nothing_else()
    {
        await Dbos.Send(Given.Task());

        (await Dbos.EffectOf(Due with { Limit = 1_001 })).Should().Be(
            """
            + refusals {"id":"<id>","type":"task_list_error","message":"limit must be from 0 to 1000, but is 1001","metadata":{"agent_id":"","module_name":"","code":"Validation"},"timestamp":<now>,"timestamp_ms":<now>,"trace_id":"trace-1","actor":"test"}
            """);
    }

    [Fact]
    public async Task The_oldest_over_all_partitions_come_first()
    {
        var order = Enumerable.Range(0, 60).Select(number => $"t{number * 7 % 60}").ToArray();
        await Dbos.SendAll(order.Select((id, age) => Given.Task(id, Given.LongAgo + age)));

        (await Take(Due with { Limit = 25 })).Should().Equal(order[..25]);
        (await Take(Due with { Limit = 100 })).Should().Equal(order[25..]);
        (await Take(Due)).Should().BeEmpty();
    }

    [Fact]
    public async Task A_reply_holds_no_more_than_its_bytes_but_the_oldest_whatever_its_size()
    {
        const int MiB = 1024 * 1024;
        await Dbos.Send(Given.Task("large", Given.LongAgo, payload: new string('x', 4 * MiB)));
        await Dbos.SendAll(Enumerable.Range(0, 40).Select(number => Given.Task($"t{number}", Given.LongAgo + 1 + number, payload: new string('x', MiB / 4))));

        (await Take(Due)).Should().Equal("large");
        var taken = new List<string>();
        while (await Take(Due) is { Length: > 0 } some)
        {
            some.Length.Should().BeLessThanOrEqualTo(12, "a reply holds 3 MiB");
            taken.AddRange(some);
            taken.Should().HaveCountLessThanOrEqualTo(40);
        }

        taken.Should().HaveCount(40).And.OnlyHaveUniqueItems();
    }

    [Fact]
    public async Task Takers_of_two_replicas_take_each_task_once()
    {
        const int Tasks = 600;
        var beside = await OpenBeside(Dbos);
        await Dbos.SendAll(Enumerable.Range(0, Tasks).Select(number => Given.Task($"t{number}")));

        var taken = await Task.WhenAll(Enumerable.Range(0, 8).Select(taker => Task.Run(async () =>
        {
            var dbos = taker % 2 == 0 ? Dbos : beside;
            var own = new List<string>();
            while ((await dbos.Send(Due with { Limit = 10 })).Value is { Count: > 0 } some)
            {
                own.AddRange(some.Select(task => task.Id));
            }

            return own;
        }))).WaitAsync(RacePatience);

        taken.SelectMany(own => own).Should().HaveCount(Tasks).And.OnlyHaveUniqueItems();
    }

    private async Task<string[]> Take(ListDueTasks due) => [.. (await Dbos.Send(due)).Value.Select(task => task.Id)];
}

public sealed class TaskDeliveryOnSqlite(SqliteEngine engine) : TaskDeliveryTests(engine), IClassFixture<SqliteEngine>;
