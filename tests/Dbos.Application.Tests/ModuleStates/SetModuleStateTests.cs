using Dbos.Domain.ModuleStates;

namespace Dbos.Application.Tests.ModuleStates;

public sealed class SetModuleStateTests : IDisposable
{
    private readonly SubstitutedDbos dbos = new();

    [Fact]
    public async Task A_first_report_is_saved_as_told_without_a_read()
    {
        (await Report(Samples.Report)).Value.Should().Be(new Written(1, Duplicate: false));

        ShouldHaveSaved(Samples.State);
        await dbos.States.DidNotReceiveWithAnyArgs().Find(default!, default);
    }

    [Fact]
    public async Task A_report_without_a_time_is_of_now()
    {
        dbos.Clock.Advance(TimeSpan.FromSeconds(9));
        await Report(Samples.Report with { Timestamp = 0 });

        ShouldHaveSaved(Samples.State with { Timestamp = Samples.Second + 9 });
    }

    [Fact]
    public async Task A_state_that_cannot_come_first_is_decided_on_what_is_stored()
    {
        dbos.States.Find("request-1", Arg.Any<CancellationToken>()).Returns(Samples.State with { Version = 4 });

        (await Report(Samples.Report with { State = "completed" })).Value.Version.Should().Be(5);
        ShouldHaveSaved(Samples.State with { State = RunState.Completed, Version = 5 });
    }

    [Fact]
    public async Task A_report_that_was_overtaken_is_decided_again_on_what_was_found()
    {
        SaveFinds(Samples.State with { State = RunState.Started, Version = 7 });

        (await Report(Samples.Report)).Value.Version.Should().Be(8);
        ShouldHaveSaved(Samples.State with { Version = 8 });
    }

    [Fact]
    public async Task A_report_that_was_overtaken_by_the_end_is_refused()
    {
        SaveFinds(Samples.State with { State = RunState.Failed, Version = 7 });

        (await Report(Samples.Report)).Refusal!.Code.Should().Be(RefusalCode.InvalidTransition);
    }

    [Fact]
    public async Task A_modules_own_life_is_read_by_its_agent_and_module()
    {
        var life = Samples.State with { RequestId = string.Empty, State = RunState.Completed, Version = 3 };
        dbos.States.FindLife("agent-1", "ping", Arg.Any<CancellationToken>()).Returns(life);

        (await Report(Samples.Report with { RequestId = string.Empty, State = "started" })).Value.Version.Should().Be(4);
        ShouldHaveSaved(life with { State = RunState.Started, Version = 4 });
    }

    [Theory]
    [InlineData(null, null, 0, true)]
    [InlineData(null, null, 1, true)]
    [InlineData(null, null, 2, false)]
    [InlineData(null, 0L, 0, true)]
    [InlineData(null, 1L, 0, false)]
    [InlineData(4L, null, 0, true)]
    [InlineData(4L, null, 4, true)]
    [InlineData(4L, null, 1, false)]
    [InlineData(4L, null, 5, false)]
    [InlineData(4L, 4L, 0, true)]
    [InlineData(4L, 4L, 9, true)]
    [InlineData(4L, 0L, 4, false)]
    public async Task A_report_is_written_only_over_the_version_that_its_caller_expects(
        long? storedVersion, long? expectedVersion, long versionInState, bool accepted)
    {
        if (storedVersion is { } version)
        {
            SaveFinds(Samples.State with { State = RunState.Started, Version = version });
        }

        var answer = await dbos.Ask(new SetModuleState(Samples.Report with { Version = versionInState }, expectedVersion));

        answer.Refusal?.Code.Should().Be(RefusalCode.VersionConflict);
        answer.IsRefused.Should().Be(!accepted);
    }

    [Fact]
    public async Task A_state_that_exists_is_read_by_its_request()
    {
        dbos.States.Find("request-1", Arg.Any<CancellationToken>()).Returns(Samples.State);

        (await dbos.Ask(new GetModuleState("request-1"))).Value.Should().Be(Samples.State);
        (await dbos.Ask(new GetModuleState("request-2"))).Refusal.Should().Be(
            new Refusal(RefusalCode.NotFound, "request 'request-2' has no module state"));
    }

    public void Dispose() => dbos.Dispose();

    private Task<Answer<Written>> Report(StateReport report) => dbos.Ask(new SetModuleState(report, null));

    /// <summary>Both the read and a save at a wrong version find this state.</summary>
    private void SaveFinds(ModuleState stored)
    {
        dbos.States.Find(default!, default).ReturnsForAnyArgs(stored);
        dbos.States.Configure().Save(default!, default!, default).ReturnsForAnyArgs(call => call.Arg<ModuleState>().Version == stored.Version + 1
            ? new Saved<ModuleState>.Done(stored.Version + 1)
            : new Saved<ModuleState>.Conflict(stored));
    }

    private void ShouldHaveSaved(ModuleState state) => dbos.States.Received(1).Save(state, dbos.Work, Arg.Any<CancellationToken>());
}
