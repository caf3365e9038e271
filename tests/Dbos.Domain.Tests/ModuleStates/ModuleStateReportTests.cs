using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using Dbos.Domain.ModuleStates;

namespace Dbos.Domain.Tests.ModuleStates;

public sealed class ModuleStateReportTests
{
    private static readonly ModuleState Stored = Samples.Report with { Version = 4 };
    private static readonly ModuleState Later = Samples.Report with { State = RunState.Completed, Timestamp = Samples.Second + 9 };

    [Theory]
    [InlineData(RunState.Created)]
    [InlineData(RunState.Started)]
    [InlineData(RunState.Running)]
    public void The_first_report_of_a_request_makes_version_one(RunState first)
    {
        var reported = Samples.Report with { State = first };

        Accepted(null, reported).Next.Should().Be(reported with { Version = 1 });
    }

    [Fact]
    public void A_report_that_is_accepted_replaces_the_state_and_makes_the_next_version() =>
        Accepted(Stored, Later with { ErrorMessage = "none" }).Next.Should().Be(Later with { ErrorMessage = "none", Version = 5 });

    [Fact]
    public void The_version_inside_a_report_is_not_looked_at() => Accepted(Stored, Later with { Version = 77 }).Next.Version.Should().Be(5);

    [Fact]
    public void An_accepted_report_tells_one_event_of_who_what_and_which_version()
    {
        var told = Accepted(Stored, Later).Events.Should().ContainSingle().Subject;

        told.Type.Should().Be(EventTypes.ModuleStateUpdated).And.Be("module_state_updated");
        told.Message.Should().Be("request 'request-1' is completed (version 5)");
        told.Metadata.Should().Equal(
            ("agent_id", "agent-1"), ("module_name", "ping"), ("request_id", "request-1"), ("state", "completed"), ("version", "5"));
    }

    [Theory]
    [InlineData(null)]
    [InlineData(4L)]
    public void A_report_over_the_expected_version_is_accepted(long? expected) => Accepted(Stored, Later, expected).Next.Version.Should().Be(5);

    [Theory]
    [InlineData(0L)]
    [InlineData(3L)]
    [InlineData(5L)]
    public void A_report_over_another_version_than_expected_is_refused(long expected)
    {
        var refusal = Refused(Stored, Later, expected);

        refusal.Code.Should().Be(RefusalCode.VersionConflict);
        refusal.Sentence.Should().Be($"request 'request-1' is at version 4, not at the expected {expected}");
    }

    [Fact]
    public void Version_zero_is_expected_where_nothing_is_stored()
    {
        Accepted(null, Samples.Report, expected: 0).Next.Version.Should().Be(1);
        Refused(null, Samples.Report, expected: 1).Sentence.Should().Be("request 'request-1' is at version 0, not at the expected 1");
    }

    [Theory]
    [InlineData("agent-2", "ping")]
    [InlineData("agent-1", "traceroute")]
    public void A_request_belongs_to_who_first_reported_it(string agent, string module)
    {
        var refusal = Refused(Stored, Later with { AgentId = agent, ModuleName = module });

        refusal.Code.Should().Be(RefusalCode.OwnerMismatch);
        refusal.Sentence.Should().Be(
            $"request 'request-1' belongs to module 'ping' of agent 'agent-1', not to module '{module}' of agent '{agent}'");
    }

    [Fact]
    public void Another_agent_that_says_the_same_is_no_replay() =>
        Refused(Stored, Stored with { AgentId = "agent-2" }).Code.Should().Be(RefusalCode.OwnerMismatch);

    [Theory]
    [InlineData(RunState.Running)]
    [InlineData(RunState.Completed)]
    public void The_same_report_again_is_a_replay_whatever_version_it_expects(RunState state)
    {
        var stored = Stored with { State = state };
        var details = stored.Details.Reverse().ToDictionary();

        var decision = Accepted(stored, stored with { Details = details, Version = 0 }, expected: 1);

        decision.IsReplay.Should().BeTrue();
        decision.Next.Should().BeSameAs(stored);
        decision.Events.Should().BeEmpty();
    }

    public static TheoryData<ModuleState> AlmostStored =>
    [
        Stored with { Timestamp = Stored.Timestamp + 1 },
        Stored with { ErrorMessage = "late" },
        Stored with { Details = new Dictionary<string, string>() },
        Stored with { Details = new Dictionary<string, string>(Stored.Details) { ["probes"] = "4" } },
        Stored with { Details = new Dictionary<string, string> { ["target"] = "192.0.2.1", ["count"] = "3" } },
    ];

    [Theory]
    [MemberData(nameof(AlmostStored))]
    public void A_report_of_the_same_state_that_says_something_else_is_new_and_refused(ModuleState reported)
    {
        var refusal = Refused(Stored, reported);

        refusal.Code.Should().Be(RefusalCode.InvalidTransition);
        refusal.Sentence.Should().Be("request 'request-1' is running and cannot become running; next is one of: completed, error, failed");
    }

    [Theory]
    [InlineData(RunState.Completed)]
    [InlineData(RunState.Error)]
    [InlineData(RunState.Failed)]
    public void What_follows_a_terminal_state_is_refused_as_such(RunState end)
    {
        var refusal = Refused(Stored with { State = end }, Samples.Report);

        refusal.Code.Should().Be(RefusalCode.InvalidTransition);
        refusal.Sentence.Should().Be($"request 'request-1' is {end.Word()}, which is terminal: it cannot become running");
    }

    [Fact]
    public void A_request_that_begins_at_its_end_is_refused_with_the_states_that_may_come_first() =>
        Refused(null, Later).Should().Be(new Refusal(
            RefusalCode.InvalidTransition,
            "request 'request-1' cannot begin as completed; it begins as one of: created, started, running"));

    [Fact]
    public void A_wrong_version_is_told_before_a_wrong_transition() =>
        Refused(Stored with { State = RunState.Failed }, Later, expected: 1).Code.Should().Be(RefusalCode.VersionConflict);

    [Fact]
    public void A_modules_own_life_begins_again_after_its_end()
    {
        var ended = Stored with { RequestId = string.Empty, State = RunState.Completed };
        var again = Later with { RequestId = string.Empty, State = RunState.Started };

        var decision = Accepted(ended, again);

        decision.Next.Version.Should().Be(5);
        decision.Events.Should().ContainSingle().Which.Message.Should().Be("module 'ping' of agent 'agent-1' is started (version 5)");
    }

    [Fact]
    public void A_modules_own_life_is_refused_by_the_modules_name() =>
        Refused(Stored with { RequestId = string.Empty, State = RunState.Stopped }, Later with { RequestId = string.Empty })
            .Sentence.Should().Be("module 'ping' of agent 'agent-1' is stopped and cannot become completed; next is one of: created, started");

    private static Decision<ModuleState> Accepted(ModuleState? stored, ModuleState reported, long? expected = null) =>
        ModuleState.Report(stored, reported, expected).Value;

    private static Refusal Refused(ModuleState? stored, ModuleState reported, long? expected = null) =>
        ModuleState.Report(stored, reported, expected).Refusal ?? throw new InvalidOperationException("it was accepted");
}
