using Dbos.Domain.ModuleStates;

namespace Dbos.Application.Tests.ModuleStates;

public sealed class ListModuleStatesTests
{
    [Theory]
    [InlineData("agent-1", "ping", "", "", null)]
    [InlineData("agent-1", "", "request-1", "", null)]
    [InlineData("", "ping", "", "stopped", RunState.Stopped)]
    [InlineData("", "", "", "", null)]
    public async Task A_list_is_as_wide_as_it_was_asked_for(string agent, string module, string request, string word, RunState? state)
    {
        using var dbos = new SubstitutedDbos();
        var page = new Page<ModuleState>([Samples.State], null);
        dbos.States.List(new StateFilter(agent, module, request, state), Samples.WholeList, Arg.Any<CancellationToken>()).Returns(page);

        var query = new ListModuleStates(agent, module, Samples.WholeList) { RequestId = request, State = word };

        (await dbos.Ask(query)).Value.Should().BeSameAs(page);
    }

    [Fact]
    public async Task A_list_of_an_unknown_state_is_refused_with_those_that_exist()
    {
        using var dbos = new SubstitutedDbos();

        (await dbos.Ask(new ListModuleStates(string.Empty, string.Empty, Samples.WholeList) { State = "asleep" })).Refusal!.Sentence
            .Should().Be("state must be empty or one of created, started, running, completed, error, failed, stopped, but is 'asleep'");
    }
}
