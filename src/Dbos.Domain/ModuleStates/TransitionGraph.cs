using static Dbos.Domain.ModuleStates.RunState;

namespace Dbos.Domain.ModuleStates;

/// <summary>Which state may follow which; from null: what may come first.</summary>
public sealed class TransitionGraph
{
    private static readonly RunState[] Ends = [Completed, Error, Failed];

    /// <summary>
    /// Of a measurement request: created → started → running → completed | error | failed, and started →
    /// error | failed. It may begin with created, started or running, as agents report running first.
    /// </summary>
    public static TransitionGraph Request { get; } = new(
        first: [Created, Started, Running],
        (Created, [Started]),
        (Started, [Running, Error, Failed]),
        (Running, Ends));

    /// <summary>
    /// Of a module itself, whose agent may die and skip steps: any step forward, stopped as one more end,
    /// and from everywhere it may begin again with created or started.
    /// </summary>
    public static TransitionGraph ModuleLife { get; } = new(
        first: Enum.GetValues<RunState>(),
        (Created, Enum.GetValues<RunState>()),
        (Started, [Created, Started, Running, .. Ends, Stopped]),
        (Running, [Created, Started, .. Ends, Stopped]),
        (Completed, [Created, Started]),
        (Error, [Created, Started]),
        (Failed, [Created, Started]),
        (Stopped, [Created, Started]));

    private readonly RunState[] first;
    private readonly Dictionary<RunState, RunState[]> steps;

    private TransitionGraph(RunState[] first, params (RunState From, RunState[] To)[] steps)
    {
        this.first = first;
        this.steps = steps.ToDictionary(step => step.From, step => step.To);
        States = [.. first.Concat(steps.SelectMany(step => step.To)).Distinct().Order()];
    }

    public IReadOnlyList<RunState> States { get; }

    /// <summary>A state without a request id is the module's own life.</summary>
    public static TransitionGraph Of(string requestId) => requestId.Length == 0 ? ModuleLife : Request;

    public IReadOnlyList<RunState> After(RunState? from) =>
        from is { } state ? steps.GetValueOrDefault(state, []) : first;

    public bool Allows(RunState? from, RunState to) => After(from).Contains(to);

    public bool IsTerminal(RunState state) => After(state).Count == 0;
}
