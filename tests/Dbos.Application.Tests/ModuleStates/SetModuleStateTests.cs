using Dbos.Domain.ModuleStates;

namespace Dbos.Application.Tests.ModuleStates;

public sealed class SetModuleStateTests : IDisposable
{
    private static readonly ReportedState Reported = new(
        "agent-1", "ping", RunState.Running, string.Empty, Samples.Report.Details, Samples.Second, "request-1", ExpectedVersions.Any);

    private readonly SubstitutedDbos dbos = new();

    [Fact]
    public async Task A_report_is_stored_as_told_without_a_read()
    {
        StoreAnswers(new Saved<ModuleState>.Done(3));

        (await Report(Samples.Report)).Value.Should().Be(new Written(3, Duplicate: false));

        await dbos.States.Received(1).Report(Reported, dbos.Work, Arg.Any<CancellationToken>());
        dbos.States.ReceivedCalls().Should().ContainSingle();
    }

    [Fact]
    public async Task A_report_without_a_time_leaves_it_to_the_store()
    {
        await Report(Samples.Report with { Timestamp = 0 });

        await dbos.States.Received(1).Report(Reported with { Timestamp = 0 }, dbos.Work, Arg.Any<CancellationToken>());
    }

    [Fact]
    public async Task A_report_that_the_store_did_not_take_is_refused_in_the_domains_words()
    {
        StoreAnswers(new Saved<ModuleState>.Conflict(Samples.State with { State = RunState.Failed, Version = 7 }));

        (await Report(Samples.Report)).Refusal.Should().Be(new Refusal(
            RefusalCode.InvalidTransition, "request 'request-1' of agent 'agent-1' is failed, which is terminal: it cannot become running"));
    }

    [Fact]
    public async Task A_report_that_says_what_is_stored_is_a_replay()
    {
        StoreAnswers(new Saved<ModuleState>.Conflict(Samples.State with { Version = 7 }));

        (await Report(Samples.Report)).Value.Should().Be(new Written(7, Duplicate: true));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_report_under_a_key_that_was_used_is_answered_as_the_first_call_was(bool differs)
    {
        StoreAnswers(new Saved<ModuleState>.Replayed(new FirstAnswer(2, differs)));

        (await dbos.Ask(new SetModuleState(Samples.Report, null), "key-1")).Value.Should().Be(new Written(2, Duplicate: true));
        dbos.Work.ReplayDiffered.Should().Be(differs);
    }

    public static TheoryData<long?, long, ExpectedVersions> Expectations => new()
    {
        { null, 0, ExpectedVersions.Any },
        { null, 1, new ExpectedVersions(0, 1) },
        { null, 5, ExpectedVersions.Exactly(5) },
        { 0, 0, ExpectedVersions.Exactly(0) },
        { 0, 4, ExpectedVersions.Exactly(0) },
        { 4, 9, ExpectedVersions.Exactly(4) },
    };

    [Theory]
    [MemberData(nameof(Expectations))]
    public async Task A_report_expects_the_version_that_the_request_names_before_the_one_inside_the_state(
        long? expectedVersion, long versionInState, ExpectedVersions expected)
    {
        await dbos.Ask(new SetModuleState(Samples.Report with { Version = versionInState }, expectedVersion));

        await dbos.States.Received(1).Report(Reported with { Expected = expected }, dbos.Work, Arg.Any<CancellationToken>());
    }

    [Fact]
    public async Task A_state_that_exists_is_read_by_its_request_and_agent()
    {
        dbos.States.Find("request-1", string.Empty, Arg.Any<CancellationToken>()).Returns(Samples.State);
        dbos.States.Find("request-1", "agent-2", Arg.Any<CancellationToken>()).Returns(Samples.State with { AgentId = "agent-2" });

        (await dbos.Ask(new GetModuleState("request-1"))).Value.Should().Be(Samples.State);
        (await dbos.Ask(new GetModuleState("request-1", "agent-2"))).Value.AgentId.Should().Be("agent-2");
        (await dbos.Ask(new GetModuleState("request-2"))).Refusal.Should().Be(
            new Refusal(RefusalCode.NotFound, "request 'request-2' has no module state"));
        (await dbos.Ask(new GetModuleState("request-1", "agent-3"))).Refusal!.Sentence.Should().Be("request 'request-1' has no module state on agent 'agent-3'");
    }

    public void Dispose() => dbos.Dispose();

    private Task<Answer<Written>> Report(StateReport report) => dbos.Ask(new SetModuleState(report, null));

    private void StoreAnswers(Saved<ModuleState> saved) => dbos.States.Configure().Report(default!, default!, default).ReturnsForAnyArgs(saved);
}
