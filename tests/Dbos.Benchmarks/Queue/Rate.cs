namespace Dbos.Benchmarks.Queue;

/// <summary>Tasks a second, once for each round.</summary>
internal sealed class Rate
{
    private readonly List<double> rounds = [];

    public double Median => Round.Median(rounds);

    /// <summary>The rate of tasks that go through this stage and then through the other.</summary>
    public Rate Then(Rate other)
    {
        var both = new Rate();
        both.rounds.AddRange(rounds.Zip(other.rounds, (mine, its) => 1 / ((1 / mine) + (1 / its))));
        return both;
    }

    public void Add(double perSecond) => rounds.Add(perSecond);

    /// <summary>Median of the ratios round by round: noise of the machine is in both rates of a round.</summary>
    /// <returns>Null: one of them was not measured.</returns>
    public double? To(Rate other) => rounds.Count == 0 || other.rounds.Count == 0
        ? null
        : Round.Median(rounds.Zip(other.rounds, (mine, its) => mine / its));
}
