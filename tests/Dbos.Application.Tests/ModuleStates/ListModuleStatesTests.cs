using Dbos.Domain.ModuleStates;

namespace Dbos.Application.Tests.ModuleStates;

public sealed class ListModuleStatesTests
{
    [Theory]
    [InlineData("agent-1", "ping")]
    [InlineData("agent-1", "")]
    [InlineData("", "ping")]
    [InlineData("", "")]
    public async Task A_list_is_as_wide_as_it_was_asked_for(string agent, string module)
    {
        using var dbos = new SubstitutedDbos();
        var page = new Page<ModuleState>([Samples.State], null);
        dbos.States.List(agent, module, Samples.WholeList, Arg.Any<CancellationToken>()).Returns(page);

        (await dbos.Ask(new ListModuleStates(agent, module, Samples.WholeList))).Value.Should().BeSameAs(page);
    }
}
