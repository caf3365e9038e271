namespace Dbos.Benchmarks.Writes;

/// <summary>All measured rounds of one write on one server.</summary>
internal sealed class SideRounds
{
    private readonly List<SideRound> rounds = [];

    public double OwnMicroseconds => Median(round => round.ServerMicroseconds);

    /// <summary>Null: the server has an embedded store.</summary>
    public double? RedisMicroseconds => rounds[0].RedisMicroseconds is null ? null : Round.Median(rounds.Select(round => round.RedisMicroseconds!.Value));

    public void Add(SideRound round) => rounds.Add(round);

    /// <summary>Median of the ratios of rates, round by round.</summary>
    public double RateTo(SideRounds other) => Round.Median(rounds.Zip(other.rounds, (mine, its) => mine.Calls.PerSecond / its.Calls.PerSecond));

    public void AddTo(Table table, string name, SideRounds bare) => table.Add(
        name,
        $"{Median(round => round.PerSecond):F0}",
        $"{Median(round => round.MedianMs):F1}",
        $"{Median(round => round.P99Ms):F1}",
        $"{OwnMicroseconds:F1}",
        $"{RedisMicroseconds:F1}",
        $"{RateTo(bare):F2}");

    private double Median(Func<Round, double> figure) => Round.Median(rounds.Select(round => figure(round.Calls)));
}
