using Dbos.Domain.ModuleStates;

namespace Dbos.Domain.Tests.ModuleStates;

public sealed class TransitionGraphTests
{
    private const string OfARequest = """
        from/to    created  started  running  completed  error  failed
        nothing    yes      yes      yes      yes        yes    yes
        created    -        yes      -        -          -      -
        started    -        -        yes      -          yes    yes
        running    -        -        -        yes        yes    yes
        completed  -        -        -        -          -      -
        error      -        -        -        -          -      -
        failed     -        -        -        -          -      -
        """;

    private const string OfAModule = """
        from/to    created  started  running  completed  error  failed  stopped
        nothing    yes      yes      yes      yes        yes    yes     yes
        created    yes      yes      yes      yes        yes    yes     yes
        started    yes      yes      yes      yes        yes    yes     yes
        running    yes      yes      yes      yes        yes    yes     yes
        completed  yes      yes      yes      yes        yes    yes     yes
        error      yes      yes      yes      yes        yes    yes     yes
        failed     yes      yes      yes      yes        yes    yes     yes
        stopped    yes      yes      yes      yes        yes    yes     yes
        """;

    public static TheoryData<RunState?, RunState, bool> RequestCells => TransitionTable.Parse(OfARequest);

    public static TheoryData<RunState?, RunState, bool> ModuleCells => TransitionTable.Parse(OfAModule);

    [Theory]
    [MemberData(nameof(RequestCells))]
    public void A_request_takes_just_the_steps_of_its_table(RunState? from, RunState to, bool allowed) =>
        Allows(TransitionGraph.Request, from, to).Should().Be(allowed);

    [Theory]
    [MemberData(nameof(ModuleCells))]
    public void A_modules_own_life_takes_just_the_steps_of_its_table(RunState? from, RunState to, bool allowed) =>
        Allows(TransitionGraph.ModuleLife, from, to).Should().Be(allowed);

    [Fact]
    public void The_tables_are_whole()
    {
        RequestCells.Should().HaveCount(7 * 6);
        ModuleCells.Should().HaveCount(8 * 7);
    }

    [Fact]
    public void A_request_is_never_stopped()
    {
        Enum.GetValues<RunState>().Should().NotContain(from => TransitionGraph.Request.Allows(from, RunState.Stopped));
        TransitionGraph.Request.States.Should().Equal(Enum.GetValues<RunState>().Except([RunState.Stopped]));
    }

    [Fact]
    public void What_may_come_before_a_state_is_what_it_may_follow()
    {
        foreach (var graph in new[] { TransitionGraph.Request, TransitionGraph.ModuleLife })
        {
            foreach (var to in Enum.GetValues<RunState>())
            {
                graph.Before(to).Should().Equal(Enum.GetValues<RunState>().Where(from => graph.Allows(from, to)));
            }
        }
    }

    [Fact]
    public void A_module_has_every_state() => TransitionGraph.ModuleLife.States.Should().Equal(Enum.GetValues<RunState>());

    [Theory]
    [InlineData(RunState.Created, false)]
    [InlineData(RunState.Started, false)]
    [InlineData(RunState.Running, false)]
    [InlineData(RunState.Completed, true)]
    [InlineData(RunState.Error, true)]
    [InlineData(RunState.Failed, true)]
    public void The_ends_of_a_request_are_terminal_and_those_of_a_module_are_not(RunState state, bool terminal)
    {
        TransitionGraph.Request.IsTerminal(state).Should().Be(terminal);
        TransitionGraph.ModuleLife.IsTerminal(state).Should().BeFalse();
    }

    [Fact]
    public void A_report_without_a_request_id_is_of_the_modules_own_life()
    {
        TransitionGraph.Of(string.Empty).Should().BeSameAs(TransitionGraph.ModuleLife);
        TransitionGraph.Of("request").Should().BeSameAs(TransitionGraph.Request);
    }

    [Theory]
    [InlineData("created", RunState.Created)]
    [InlineData("started", RunState.Started)]
    [InlineData("running", RunState.Running)]
    [InlineData("completed", RunState.Completed)]
    [InlineData("error", RunState.Error)]
    [InlineData("failed", RunState.Failed)]
    [InlineData("stopped", RunState.Stopped)]
    public void A_state_is_spelled_one_way(string word, RunState state)
    {
        RunStateWords.Parse(word).Should().Be(state);
        state.Word().Should().Be(word);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Running")]
    [InlineData(" running")]
    [InlineData("2")]
    [InlineData("finished")]
    public void Any_other_word_is_no_state(string word) => RunStateWords.Parse(word).Should().BeNull();

    private static bool Allows(TransitionGraph graph, RunState? from, RunState to) =>
        from is { } state ? graph.Allows(state, to) : graph.States.Contains(to);
}
