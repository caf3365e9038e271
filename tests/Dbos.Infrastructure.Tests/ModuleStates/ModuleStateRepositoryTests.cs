using Dbos.Application.ModuleStates;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;

namespace Dbos.Infrastructure.Tests.ModuleStates;

public abstract class ModuleStateRepositoryTests(IEngine engine) : StoreTests(engine)
{
    [Fact]
    public async Task The_first_state_of_a_request_lands_in_every_index_with_its_mark_and_its_event()
    {
        (await Dbos.EffectOf(Given.State())).Should().Be(
            """
            + events {"type":"module_state_updated","message":"request 'r1' is running (version 1)","metadata":{"agent_id":"a1","module_name":"ping","request_id":"r1","state":"running","version":"1"},"trace_id":"trace-1","actor":"test","timestamp":<now>,"timestamp_ms":<now>}
            + index states state:r1 = <now>
            + index states:agent:a1 state:r1 = <now>
            + index states:both:a1:ping state:r1 = <now>
            + index states:module:ping state:r1 = <now>
            + mark:SetModuleState:natural:r1:<fingerprint> expires <now+86400> 1 <fingerprint>
            + record state:r1 version 1 deliveries 0 {"agent_id":"a1","module_name":"ping","state":"running","error_message":"","details":{},"timestamp":1500000000,"request_id":"r1"}
            """);
    }

    [Fact]
    public async Task The_next_state_of_a_request_replaces_the_one_before()
    {
        await Dbos.Send(Given.State());

        (await Dbos.EffectOf(Given.State(state: "completed"))).Should().Be(
            """
            + events {"type":"module_state_updated","message":"request 'r1' is completed (version 2)","metadata":{"agent_id":"a1","module_name":"ping","request_id":"r1","state":"completed","version":"2"},"trace_id":"trace-1","actor":"test","timestamp":<now>,"timestamp_ms":<now>}
            + mark:SetModuleState:natural:r1:<fingerprint> expires <now+86400> 2 <fingerprint>
            - record state:r1 version 1 deliveries 0 {"agent_id":"a1","module_name":"ping","state":"running","error_message":"","details":{},"timestamp":1500000000,"request_id":"r1"}
            + record state:r1 version 2 deliveries 0 {"agent_id":"a1","module_name":"ping","state":"completed","error_message":"","details":{},"timestamp":1500000000,"request_id":"r1"}
            """);
    }

    [Fact]
    public async Task A_state_of_a_modules_own_life_is_kept_apart_from_requests_and_has_no_mark()
    {
        (await Dbos.EffectOf(Given.State(requestId: string.Empty, state: "started"))).Should().Be(
            """
            + events {"type":"module_state_updated","message":"module 'ping' of agent 'a1' is started (version 1)","metadata":{"agent_id":"a1","module_name":"ping","request_id":"","state":"started","version":"1"},"trace_id":"trace-1","actor":"test","timestamp":<now>,"timestamp_ms":<now>}
            + index states life:a1:ping = <now>
            + index states:agent:a1 life:a1:ping = <now>
            + index states:both:a1:ping life:a1:ping = <now>
            + index states:module:ping life:a1:ping = <now>
            + record life:a1:ping version 1 deliveries 0 {"agent_id":"a1","module_name":"ping","state":"started","error_message":"","details":{},"timestamp":1500000000,"request_id":""}
            """);
    }

    [Fact]
    public async Task A_replay_of_a_transition_changes_nothing()
    {
        await Dbos.Send(Given.State());
        (await Dbos.EffectOf(Given.State())).Should().BeEmpty("it is the state as it stands");

        await Dbos.Send(Given.State(state: "completed"));

        (await Dbos.EffectOf(Given.State())).Should().BeEmpty("it was accepted before");
    }

    [Fact]
    public async Task A_refused_transition_is_told_among_the_refusals_and_nothing_else()
    {
        await Dbos.Send(Given.State(state: "running"));

        (await Dbos.EffectOf(Given.State(state: "started"))).Should().Be(
            """
            + refusals {"type":"module_state_error","message":"request 'r1' is running and cannot become started; next is one of: completed, error, failed","metadata":{"request_id":"r1","agent_id":"a1","module_name":"ping","state":"started","code":"InvalidTransition"},"trace_id":"trace-1","actor":"test","timestamp":<now>,"timestamp_ms":<now>}
            """);
    }

    [Fact]
    public async Task Two_lives_of_one_agent_are_two_records()
    {
        await Dbos.Send(Given.State(string.Empty, "started", moduleName: "ping"));
        await Dbos.Send(Given.State(string.Empty, "started", moduleName: "trace:1"));

        var lives = (await Dbos.Send(new ListModuleStates("a1", string.Empty, new(0, string.Empty)))).Value.Items;

        lives.Select(life => life.ModuleName).Should().BeEquivalentTo("ping", "trace:1");
    }
}

public sealed class ModuleStateRepositoryOnRedis(RedisEngine engine) : ModuleStateRepositoryTests(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class ModuleStateRepositoryOnCluster(ClusterEngine engine) : ModuleStateRepositoryTests(engine);

public sealed class ModuleStateRepositoryOnSqlite(SqliteEngine engine) : ModuleStateRepositoryTests(engine), IClassFixture<SqliteEngine>;
