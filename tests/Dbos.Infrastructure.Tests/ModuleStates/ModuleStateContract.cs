using Dbos.Application.ModuleStates;
using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Domain.ModuleStates;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;

namespace Dbos.Infrastructure.Tests.ModuleStates;

/// <summary>What module states are on every engine: through whole commands, and through the repository.</summary>
public abstract class ModuleStateContract(IEngine engine) : StoreTests(engine)
{
    private const string Life = "";

    private static readonly PageRequest Whole = new(0, string.Empty);

    private IModuleStateRepository States => Dbos.Get<IModuleStateRepository>();

    /// <summary>What the domain decides, the store must do: over nothing, and over every state, by the same report and by another.</summary>
    [Theory]
    [InlineData("r")]
    [InlineData(Life)]
    public async Task Every_step_is_taken_or_refused_as_the_domain_decides(string kind)
    {
        var graph = TransitionGraph.Of(kind);
        foreach (var to in graph.States)
        {
            foreach (var (from, seconds) in graph.States.SelectMany(from => new[] { (from, 0), (from, 1) }))
            {
                var (requestId, agentId) = kind.Length > 0 ? ($"{from}-{to}-{seconds}", "a1") : (Life, $"{from}-{to}-{seconds}");
                var first = await Send(from, requestId, agentId);
                var answer = await Send(to, requestId, agentId, Given.LongAgo + seconds);

                var stored = (await Of(requestId, agentId)).Single();
                var decided = ModuleState.Report(
                    new ModuleState(agentId, "ping", from, string.Empty, new Dictionary<string, string>(), Given.LongAgo, requestId, 1),
                    new ReportedState(agentId, "ping", to, string.Empty, new Dictionary<string, string>(), Given.LongAgo + seconds, requestId, ExpectedVersions.Any),
                    DateTimeOffset.UnixEpoch);
                first.Value.Should().Be(new Written(1, Duplicate: false), $"{from} may come first");
                answer.Refusal.Should().Be(decided.Refusal);
                if (!decided.IsRefused)
                {
                    answer.Value.Should().Be(new Written(decided.Value.Next.Version, decided.Value.IsReplay), $"from {from} to {to}, {seconds} s later");
                }

                (stored.Version, stored.State).Should().Be(decided.IsRefused ? (1, from) : (decided.Value.Next.Version, to));
            }
        }
    }

    [Theory]
    [InlineData("running", "request 'r1' of agent 'a1' is running", "")]
    [InlineData("error", "request 'r1' of agent 'a1' is error; its beginning is missing", ",\"beginning\":\"missing\"")]
    public async Task A_first_state_lands_with_its_event_that_says_whether_the_beginning_is_missing(string state, string message, string missing)
    {
        var effect = await Dbos.EffectOf(Given.State(state: state));

        effect.Should().Contain(
            $$$"""+ events {"type":"module_state_updated","message":"{{{message}}}","metadata":{"agent_id":"a1","module_name":"ping","request_id":"r1","state":"{{{state}}}"{{{missing}}},"version":1},"trace_id":"trace-1","actor":"test","timestamp":<now>,"timestamp_ms":<now>}""");
        effect.Should().NotContain("mark:");
    }

    [Fact]
    public async Task The_next_state_has_an_event_with_its_version()
    {
        await Dbos.Send(Given.State());

        (await Dbos.EffectOf(Given.State(state: "error"))).Should().Contain(
            """+ events {"type":"module_state_updated","message":"request 'r1' of agent 'a1' is error","metadata":{"agent_id":"a1","module_name":"ping","request_id":"r1","state":"error","version":2},""");
    }

    [Fact]
    public async Task What_was_reported_is_read_again()
    {
        var details = new Dictionary<string, string> { ["ж\n"] = "\"", ["b"] = string.Empty, ["a"] = new('x', 5_000) };
        var report = Given.State("r:1%", "running", "a:1", "p:%").State! with { ErrorMessage = "no\nroute", Details = details };

        await Dbos.Send(new SetModuleState(report, null));

        foreach (var agentId in new[] { "a:1", string.Empty })
        {
            (await States.Find("r:1%", agentId, None)).Should().BeEquivalentTo(
                new ModuleState("a:1", "p:%", RunState.Running, "no\nroute", details, Given.LongAgo, "r:1%", 1));
        }

        (await States.Find("r:1%", "a", None)).Should().BeNull();
        (await States.Find("r", string.Empty, None)).Should().BeNull();
    }

    [Fact]
    public async Task A_report_without_a_timestamp_is_of_the_stores_now_and_repeats_whatever_time_is_stored()
    {
        await Dbos.Send(Given.State(timestamp: 0));
        var stored = (await States.Find("r1", "a1", None))!;

        stored.Timestamp.Should().BeCloseTo(Dbos.Get<TimeProvider>().GetUtcNow().ToUnixTimeSeconds(), 5);
        (await Dbos.Send(Given.State(timestamp: 0))).Value.Should().Be(new Written(1, Duplicate: true));
        (await Dbos.Send(Given.State(timestamp: stored.Timestamp + 60))).Refusal!.Code.Should().Be(RefusalCode.InvalidTransition);
    }

    [Theory]
    [InlineData("r1")]
    [InlineData(Life)]
    public async Task A_repetition_writes_nothing_whatever_the_order_of_its_details(string requestId)
    {
        var report = Given.State(requestId).State!;
        await Dbos.Send(new SetModuleState(report with { Details = new Dictionary<string, string> { ["a"] = "1", ["b"] = "2" } }, null));

        Answer<Written> again = default;
        var effect = await Dbos.EffectOf(async () => again = await Dbos.Send(
            new SetModuleState(report with { Details = new Dictionary<string, string> { ["b"] = "2", ["a"] = "1" } }, ExpectedVersion: 7)));

        (effect, again.Value).Should().Be((string.Empty, new Written(1, Duplicate: true)));
    }

    [Theory]
    [InlineData(Given.LongAgo)]
    [InlineData(Given.LongAgo + 1)]
    [InlineData(0)]
    public async Task A_repetition_of_an_earlier_state_is_an_invalid_transition_whatever_its_timestamp(long timestamp)
    {
        await Dbos.Send(Given.State());
        await Dbos.Send(Given.State(state: "completed"));

        (await Dbos.Send(Given.State(timestamp: timestamp))).Refusal.Should().Be(new Refusal(
            RefusalCode.InvalidTransition, "request 'r1' of agent 'a1' is completed, which is terminal: it cannot become running"));
        (await States.Find("r1", "a1", None))!.Version.Should().Be(2);
    }

    [Theory]
    [InlineData(false, null, 0, true)]
    [InlineData(false, null, 1, true)]
    [InlineData(false, null, 2, false)]
    [InlineData(false, 0L, 0, true)]
    [InlineData(false, 1L, 0, false)]
    [InlineData(true, null, 0, true)]
    [InlineData(true, null, 1, true)]
    [InlineData(true, null, 2, false)]
    [InlineData(true, 0L, 0, false)]
    [InlineData(true, 1L, 9, true)]
    [InlineData(true, 2L, 1, false)]
    [InlineData(true, long.MaxValue, 1, false)]
    public async Task A_report_is_stored_only_over_the_version_that_its_caller_expects(bool isStored, long? expected, long versionInState, bool accepted)
    {
        if (isStored)
        {
            await Dbos.Send(Given.State());
        }

        var answer = await Dbos.Send(new SetModuleState(Given.State(state: "error").State! with { Version = versionInState }, expected));

        answer.Refusal?.Code.Should().Be(RefusalCode.VersionConflict);
        answer.IsRefused.Should().Be(!accepted);
        ((await States.Find("r1", "a1", None))?.Version ?? 0).Should().Be((isStored ? 1 : 0) + (accepted ? 1 : 0));
    }

    [Fact]
    public async Task Each_agent_of_a_request_has_a_state_of_its_own_and_the_request_is_where_one_changed_last()
    {
        string[] agents = ["a1", "a2", "a:3"];
        foreach (var agent in agents)
        {
            (await Dbos.Send(Given.State(agentId: agent))).Value.Version.Should().Be(1);
            (await States.Find("r1", string.Empty, None))!.AgentId.Should().Be(agent);
        }

        (await Dbos.Send(Given.State(state: "completed", agentId: "a2"))).Value.Version.Should().Be(2);
        (await Dbos.Send(Given.State(state: "error", agentId: "a1"))).Value.Version.Should().Be(2);
        (await Dbos.Send(Given.State(agentId: "a2"))).Refusal!.Code.Should().Be(RefusalCode.InvalidTransition);

        (await States.Find("r1", string.Empty, None)).Should().BeEquivalentTo(await States.Find("r1", "a1", None));
        (await Of("r1")).Select(state => (state.AgentId, state.State, state.Version)).Should().Equal(
            ("a1", RunState.Error, 2), ("a2", RunState.Completed, 2), ("a:3", RunState.Running, 1));
        (await Of("r1", "a2")).Should().ContainSingle().Which.State.Should().Be(RunState.Completed);
        (await States.List(new StateFilter("a2", "ping"), Whole, None)).Items.Should().ContainSingle().Which.RequestId.Should().Be("r1");
    }

    [Fact]
    public async Task A_request_on_an_agent_belongs_to_the_module_that_first_reported_it()
    {
        await Dbos.Send(Given.State());

        var other = await Dbos.Send(Given.State(state: "completed", moduleName: "trace"));
        var onAnotherAgent = await Dbos.Send(Given.State(agentId: "a2", moduleName: "trace"));

        other.Refusal!.Code.Should().Be(RefusalCode.OwnerMismatch);
        onAnotherAgent.Value.Version.Should().Be(1);
        (await Of("r1")).Select(state => (state.AgentId, state.ModuleName)).Should().Equal(("a2", "trace"), ("a1", "ping"));
    }

    [Fact]
    public async Task A_modules_own_life_is_reported_in_any_order_within_a_second()
    {
        var version = 0;
        foreach (var state in new[] { "started", "completed", "running", "error", "stopped", "started" })
        {
            (await Dbos.Send(Given.State(Life, state))).Value.Should().Be(new Written(++version, Duplicate: false));
        }

        await Dbos.Send(Given.State(Life, "created", moduleName: "trace:1"));
        (await Of(Life, "a1")).Select(life => (life.ModuleName, life.State, life.Version)).Should().Equal(
            ("trace:1", RunState.Created, 1), ("ping", RunState.Started, 6));
    }

    [Fact]
    public async Task A_key_that_the_caller_names_makes_a_report_the_same_report_when_the_request_has_gone_on()
    {
        await Dbos.Send(Given.State(), "k1");
        await Dbos.Send(Given.State(state: "completed"), "k2");

        (await Dbos.Send(Given.State(), "k1")).Value.Should().Be(new Written(1, Duplicate: true));
        (await Dbos.Send(Given.State(state: "completed"), "k2")).Value.Should().Be(new Written(2, Duplicate: true));
        (await Dbos.Send(Given.State(state: "error"), "k1")).Refusal!.Code.Should().Be(RefusalCode.IdempotencyKeyReused);
        (await Dbos.Send(Given.State(state: "error"), "k3")).Refusal!.Code.Should().Be(RefusalCode.InvalidTransition);
    }

    [Fact]
    public async Task Of_many_reports_at_once_without_a_version_each_is_taken_that_may_be()
    {
        const int Reporters = 30;

        var ends = await Task.WhenAll(Enumerable.Range(0, Reporters).Select(number => Dbos.Send(Given.State("r1", "completed", timestamp: Given.LongAgo + number))));
        var lives = await Task.WhenAll(Enumerable.Range(0, Reporters).Select(number => Dbos.Send(Given.State(Life, "running", timestamp: Given.LongAgo + number))));

        ends.Count(answer => !answer.IsRefused).Should().Be(1);
        ends.Where(answer => answer.IsRefused).Should().OnlyContain(answer => answer.Refusal!.Code == RefusalCode.InvalidTransition);
        lives.Select(answer => answer.Value.Version).Order().Should().Equal(Enumerable.Range(1, Reporters).Select(version => (long)version));
    }

    private Task<Answer<Written>> Send(RunState state, string requestId, string agentId, long timestamp = Given.LongAgo) =>
        Dbos.Send(Given.State(requestId, state.Word(), agentId, timestamp: timestamp));

    /// <summary>Of a request, or of an agent's lives.</summary>
    private async Task<IReadOnlyList<ModuleState>> Of(string requestId, string agentId = "") =>
        (await States.List(new StateFilter(agentId, RequestId: requestId), Whole, None)).Items;
}

public sealed class ModuleStatesOnRedis(RedisEngine engine) : ModuleStateContract(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class ModuleStatesOnCluster(ClusterEngine engine) : ModuleStateContract(engine);

public sealed class ModuleStatesOnSqlite(SqliteEngine engine) : ModuleStateContract(engine), IClassFixture<SqliteEngine>;
