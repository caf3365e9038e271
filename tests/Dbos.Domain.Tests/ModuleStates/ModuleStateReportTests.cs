using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using Dbos.Domain.ModuleStates;

namespace Dbos.Domain.Tests.ModuleStates;

public sealed class ModuleStateReportTests
{
    private static readonly ReportedState Running = Samples.Report;
    private static readonly ReportedState Completed = Samples.Report with { State = RunState.Completed, Timestamp = Samples.Second + 9 };
    private static readonly ModuleState Stored = Samples.Stored with { Version = 4 };

    public static TheoryData<RunState> States => [.. TransitionGraph.Request.States];

    [Theory]
    [MemberData(nameof(States))]
    public void Any_state_of_a_request_may_come_first_and_makes_version_one(RunState first) =>
        Accepted(null, Running with { State = first }).Next.Should().Be(Samples.Stored with { State = first, Version = 1 });

    [Fact]
    public void A_report_that_is_accepted_replaces_the_state_and_makes_the_next_version() =>
        Accepted(Stored, Completed with { ErrorMessage = "none" }).Next.Should()
            .Be(Stored with { State = RunState.Completed, Timestamp = Samples.Second + 9, ErrorMessage = "none", Version = 5 });

    [Fact]
    public void A_report_without_a_timestamp_is_of_now() =>
        Accepted(Stored, Completed with { Timestamp = 0 }).Next.Timestamp.Should().Be(Samples.Now.ToUnixTimeSeconds());

    [Fact]
    public void An_accepted_report_tells_one_event_of_who_and_what()
    {
        var told = Accepted(Stored, Completed).Events.Should().ContainSingle().Subject;

        told.Type.Should().Be(EventTypes.ModuleStateUpdated).And.Be("module_state_updated");
        told.Message.Should().Be("request 'request-1' of agent 'agent-1' is completed");
        told.Metadata.Should().Equal(("agent_id", "agent-1"), ("module_name", "ping"), ("request_id", "request-1"), ("state", "completed"));
    }

    [Theory]
    [InlineData(RunState.Running, false)]
    [InlineData(RunState.Completed, true)]
    [InlineData(RunState.Error, true)]
    [InlineData(RunState.Failed, true)]
    public void The_event_of_a_first_state_that_is_terminal_says_that_the_beginning_is_missing(RunState first, bool isMissing)
    {
        var told = Accepted(null, Running with { State = first }).Events.Single();

        told.Message.EndsWith("; its beginning is missing", StringComparison.Ordinal).Should().Be(isMissing);
        told.MetadataOf("beginning").Should().Be(isMissing ? "missing" : null);
    }

    [Fact]
    public void The_event_of_a_modules_own_life_never_lacks_a_beginning() =>
        Accepted(null, Completed with { RequestId = string.Empty }).Events.Single().Message.Should().Be("module 'ping' of agent 'agent-1' is completed");

    [Theory]
    [InlineData(0, 4, true)]
    [InlineData(4, 4, true)]
    [InlineData(0, 0, false)]
    [InlineData(0, 1, false)]
    [InlineData(3, 3, false)]
    [InlineData(5, 5, false)]
    public void A_report_is_accepted_over_the_versions_that_it_expects_and_no_other(long least, long most, bool accepted)
    {
        var answer = ModuleState.Report(Stored, Completed with { Expected = new ExpectedVersions(least, most) }, Samples.Now);

        answer.IsRefused.Should().Be(!accepted);
        answer.Refusal?.Should().Be(new Refusal(
            RefusalCode.VersionConflict, $"request 'request-1' of agent 'agent-1' is at version 4, not at the expected {most}"));
    }

    [Fact]
    public void Version_zero_is_expected_where_nothing_is_stored()
    {
        Accepted(null, Running with { Expected = ExpectedVersions.Exactly(0) }).Next.Version.Should().Be(1);
        Refused(null, Running with { Expected = ExpectedVersions.Exactly(1) }).Sentence
            .Should().Be("request 'request-1' of agent 'agent-1' is at version 0, not at the expected 1");
    }

    [Fact]
    public void A_version_inside_a_report_is_the_one_that_was_read_but_1_is_also_that_of_a_first_report()
    {
        ExpectedVersions.Read(0).Should().Be(ExpectedVersions.Any);
        ExpectedVersions.Read(1).Should().Be(new ExpectedVersions(0, 1));
        ExpectedVersions.Read(4).Should().Be(ExpectedVersions.Exactly(4));
    }

    [Fact]
    public void A_request_on_an_agent_belongs_to_the_module_that_first_reported_it()
    {
        var refusal = Refused(Stored, Completed with { ModuleName = "traceroute" });

        refusal.Code.Should().Be(RefusalCode.OwnerMismatch);
        refusal.Sentence.Should().Be("request 'request-1' of agent 'agent-1' belongs to module 'ping', not to module 'traceroute'");
    }

    [Theory]
    [InlineData(RunState.Running)]
    [InlineData(RunState.Completed)]
    public void The_same_report_again_is_a_replay_whatever_version_it_expects(RunState state)
    {
        var stored = Stored with { State = state };
        var details = stored.Details.Reverse().ToDictionary();

        var decision = Accepted(stored, Running with { State = state, Details = details, Expected = ExpectedVersions.Exactly(1) });

        decision.IsReplay.Should().BeTrue();
        decision.Next.Should().BeSameAs(stored);
        decision.Events.Should().BeEmpty();
    }

    [Fact]
    public void A_repetition_without_a_timestamp_is_compared_without_it()
    {
        Accepted(Stored, Running with { Timestamp = 0 }).IsReplay.Should().BeTrue();
        Refused(Stored, Running with { Timestamp = 0, ErrorMessage = "late" }).Code.Should().Be(RefusalCode.InvalidTransition);
    }

    public static TheoryData<ReportedState> AlmostStored =>
    [
        Running with { Timestamp = Samples.Second + 1 },
        Running with { ErrorMessage = "late" },
        Running with { Details = new Dictionary<string, string>() },
        Running with { Details = new Dictionary<string, string>(Running.Details) { ["probes"] = "4" } },
        Running with { Details = new Dictionary<string, string> { ["target"] = "192.0.2.1", ["count"] = "3" } },
    ];

    [Theory]
    [MemberData(nameof(AlmostStored))]
    public void A_report_of_the_same_state_that_says_something_else_is_new_and_refused(ReportedState reported)
    {
        var refusal = Refused(Stored, reported);

        refusal.Code.Should().Be(RefusalCode.InvalidTransition);
        refusal.Sentence.Should().Be("request 'request-1' of agent 'agent-1' is running and cannot become running; next is one of: completed, error, failed");
    }

    [Theory]
    [InlineData(RunState.Completed)]
    [InlineData(RunState.Error)]
    [InlineData(RunState.Failed)]
    public void What_follows_a_terminal_state_is_refused_as_such(RunState end)
    {
        var refusal = Refused(Stored with { State = end }, Running);

        refusal.Code.Should().Be(RefusalCode.InvalidTransition);
        refusal.Sentence.Should().Be($"request 'request-1' of agent 'agent-1' is {end.Word()}, which is terminal: it cannot become running");
    }

    [Fact]
    public void A_wrong_version_is_told_before_a_wrong_transition() =>
        Refused(Stored with { State = RunState.Failed }, Completed with { Expected = ExpectedVersions.Exactly(1) }).Code.Should().Be(RefusalCode.VersionConflict);

    [Theory]
    [MemberData(nameof(AlmostStored))]
    public void A_modules_own_life_takes_the_same_state_again_with_other_content(ReportedState reported) =>
        Accepted(Stored with { RequestId = string.Empty }, reported with { RequestId = string.Empty }).Next.Version.Should().Be(5);

    [Fact]
    public void A_modules_own_life_is_a_replay_where_it_only_says_the_same() =>
        Accepted(Stored with { RequestId = string.Empty }, Running with { RequestId = string.Empty }).IsReplay.Should().BeTrue();

    private static Decision<ModuleState> Accepted(ModuleState? stored, ReportedState reported) =>
        ModuleState.Report(stored, reported, Samples.Now).Value;

    private static Refusal Refused(ModuleState? stored, ReportedState reported) =>
        ModuleState.Report(stored, reported, Samples.Now).Refusal ?? throw new InvalidOperationException("it was accepted");
}
