using static Dbos.Domain.ModuleStates.RunState;

namespace Dbos.Domain.ModuleStates;

/// <summary>Which state may follow which. Any state may come first, as the report of an earlier one may be lost.</summary>
public sealed class TransitionGraph
{
    private static readonly RunState[] Ends = [Completed, Error, Failed];
    private static readonly RunState[] Every = Enum.GetValues<RunState>();

    /// <summary>Of a measurement request: created → started → running → completed | error | failed, and started → error | failed.</summary>
    public static TransitionGraph Request { get; } = new(
        [Created, Started, Running, .. Ends],
        (Created, [Started]),
        (Started, [Running, Error, Failed]),
        (Running, Ends));

    /// <summary>Of a module itself: agents restart, skip steps and report out of order, so any state may follow any.</summary>
    public static TransitionGraph ModuleLife { get; } = new(Every, [.. Every.Select(from => (from, Every))]);

    /// <summary>After which a request's run goes on no more.</summary>
    public static IReadOnlyList<RunState> TerminalStates => Ends;

    private readonly RunState[][] after;
    private readonly RunState[][] before;

    private TransitionGraph(RunState[] states, params (RunState From, RunState[] To)[] steps)
    {
        States = states;
        after = [.. Every.Select(state => steps.SingleOrDefault(step => step.From == state).To ?? [])];
        before = [.. Every.Select(state => Every.Where(from => after[(int)from].Contains(state)).ToArray())];
    }

    public IReadOnlyList<RunState> States { get; }

    /// <summary>A state without a request id is the module's own life.</summary>
    public static TransitionGraph Of(string requestId) => requestId.Length == 0 ? ModuleLife : Request;

    public IReadOnlyList<RunState> After(RunState from) => after[(int)from];

    public IReadOnlyList<RunState> Before(RunState to) => before[(int)to];

    public bool Allows(RunState from, RunState to) => Array.IndexOf(after[(int)from], to) >= 0;

    public bool IsTerminal(RunState state) => after[(int)state].Length == 0;
}
