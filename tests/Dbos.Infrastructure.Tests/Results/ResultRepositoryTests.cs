using Dbos.Application.Results;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;

namespace Dbos.Infrastructure.Tests.Results;

public abstract class ResultRepositoryTests(IEngine engine) : StoreTests(engine)
{
    [Fact]
    public async Task A_result_lands_with_its_data_beside_it_its_index_its_mark_and_its_event()
    {
        (await Dbos.EffectOf(Given.Result())).Should().Be(
            """
            + events {"type":"result_stored","message":"result r1 of agent a1 stored","metadata":{"agent_id":"a1","module_name":"unknown","request_id":"r1","bytes":"9"},"trace_id":"trace-1","actor":"test","timestamp":<now>,"timestamp_ms":<now>}
            + index results:a1 r1 = <now>
            + mark:StoreResult:natural:a1:r1 expires <now+86400> 1 <fingerprint>
            + record result:a1:r1 version 1 deliveries 0 {"id":"r1","agent_id":"a1","module_name":"unknown","timestamp":1500000000,"received_at":<now>,"agent_start_time":0,"agent_runtime_version":"","module_revision":"","dbos_server_id":"server-1","ingest_source":"grpc"} payload {"rtt":1}
            """);
    }

    [Fact]
    public async Task A_replay_changes_nothing()
    {
        await Dbos.Send(Given.Result());

        (await Dbos.EffectOf(Given.Result())).Should().BeEmpty();
    }

    [Fact]
    public async Task A_replay_with_other_content_keeps_the_first_and_is_told_apart_from_the_history()
    {
        await Dbos.Send(Given.Result());

        (await Dbos.EffectOf(Given.Result(data: "other"))).Should().Be(
            """
            + refusals {"type":"replay_differed","message":"StoreResult was sent again with other content; the first is kept","metadata":{"agent_id":"a1","request_id":"r1"},"trace_id":"trace-1","actor":"test","timestamp":<now>,"timestamp_ms":<now>}
            """);
    }

    [Fact]
    public async Task A_key_used_again_for_other_content_is_told_among_the_refusals_and_nothing_else()
    {
        await Dbos.Send(Given.Result(), idempotencyKey: "k1");

        var effect = await Dbos.EffectOf(Given.Result(data: "other"), idempotencyKey: "k1");

        effect.Should().StartWith("+ refusals ").And.Contain("IdempotencyKeyReused").And.NotContain("\n");
    }

    [Fact]
    public async Task The_same_id_from_two_agents_is_two_results()
    {
        await Dbos.Send(Given.Result(agentId: "a1", data: "one"));
        await Dbos.Send(Given.Result(agentId: "a2", data: "two"));

        Text((await Dbos.Send(new GetResult("a1", "r1"))).Value.Data).Should().Be("one");
        Text((await Dbos.Send(new GetResult("a2", "r1"))).Value.Data).Should().Be("two");
    }

    [Fact]
    public async Task Ids_that_would_run_together_are_two_results()
    {
        await Dbos.Send(Given.Result(agentId: "a:b", id: "c", data: "one"));
        await Dbos.Send(Given.Result(agentId: "a", id: "b:c", data: "two"));

        Text((await Dbos.Send(new GetResult("a:b", "c"))).Value.Data).Should().Be("one");
        Text((await Dbos.Send(new GetResult("a", "b:c"))).Value.Data).Should().Be("two");
    }

    [Fact]
    public async Task Data_of_any_bytes_comes_back_as_it_was()
    {
        byte[] data = [.. Enumerable.Range(0, 70_000).Select(number => (byte)number)];

        await Dbos.Send(Given.Result("r1", "a1", data));

        (await Dbos.Send(new GetResult("a1", "r1"))).Value.Data.ToArray().Should().Equal(data);
    }

    [Fact]
    public async Task A_result_without_data_is_a_result()
    {
        await Dbos.Send(Given.Result(data: string.Empty));

        (await Dbos.Send(new GetResult("a1", "r1"))).Value.Data.Length.Should().Be(0);
    }
}

public sealed class ResultRepositoryOnRedis(RedisEngine engine) : ResultRepositoryTests(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class ResultRepositoryOnCluster(ClusterEngine engine) : ResultRepositoryTests(engine);

public sealed class ResultRepositoryOnSqlite(SqliteEngine engine) : ResultRepositoryTests(engine), IClassFixture<SqliteEngine>;
