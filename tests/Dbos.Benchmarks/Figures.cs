namespace Dbos.Benchmarks;

/// <summary>What a benchmark measured and is judged by.</summary>
internal sealed record Figures(IReadOnlyList<Target> Targets)
{
    public static readonly Figures None = new([]);

    /// <summary>Processor time of DBOS or Redis, as a ratio to what was measured beside it; only of a short form.</summary>
    public IReadOnlyList<CostRatio> Costs { get; init; } = [];
}

/// <param name="Value">Null: it was not measured.</param>
internal sealed record CostRatio(string Name, double? Value);
