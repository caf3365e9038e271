namespace Dbos.Benchmarks;

/// <summary>How many a second, once for each round.</summary>
internal sealed class Rate
{
    private readonly List<double> rounds = [];

    public double Median => Round.Median(rounds);

    /// <summary>Of what goes through this and then through the other.</summary>
    public Rate Then(Rate other)
    {
        var both = new Rate();
        both.rounds.AddRange(rounds.Zip(other.rounds, (mine, its) => 1 / ((1 / mine) + (1 / its))));
        return both;
    }

    public void Add(double perSecond) => rounds.Add(perSecond);

    /// <summary>How many times the other, round by round.</summary>
    public double To(Rate other) => Round.Median(rounds.Zip(other.rounds, (mine, its) => mine / its));
}
