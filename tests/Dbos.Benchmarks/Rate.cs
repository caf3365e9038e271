namespace Dbos.Benchmarks;

/// <summary>How many a second, once for each round.</summary>
internal sealed class Rate(string name)
{
    private readonly List<double> rounds = [];

    public string Name => name;

    public double Median => Round.Median(rounds);

    /// <summary>The rate of what goes through one and then through the other.</summary>
    public static Rate OneAfterTheOther(string name, Rate one, Rate other)
    {
        var both = new Rate(name);
        both.rounds.AddRange(one.rounds.Zip(other.rounds, (first, second) => 1 / ((1 / first) + (1 / second))));
        return both;
    }

    public void Add(double perSecond) => rounds.Add(perSecond);

    /// <summary>How many times the other, round by round.</summary>
    public double To(Rate other) => Round.Median(rounds.Zip(other.rounds, (mine, its) => mine / its));
}
