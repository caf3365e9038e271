namespace Dbos.Soak;

/// <summary>What is scheduled, who takes it, and how often somebody is killed.</summary>
/// <param name="Embedded">One DBOS on its embedded store; else two on one Redis.</param>
/// <param name="DueWithin">Half of the tasks become due at some time within this, the others at once.</param>
/// <param name="AcknowledgementsBeforeKill">By a taker, at least.</param>
public sealed record SoakPlan(
    int Tasks,
    bool Embedded,
    int Takers,
    TimeSpan DueWithin,
    int AcknowledgementsBeforeKill,
    TimeSpan BetweenTakerKills,
    TimeSpan BetweenReplicaKills,
    TimeSpan Patience)
{
    public static SoakPlan Full { get; } = new(
        Tasks: 50_000,
        Embedded: false,
        Takers: 8,
        DueWithin: TimeSpan.FromSeconds(60),
        AcknowledgementsBeforeKill: 250,
        BetweenTakerKills: TimeSpan.FromSeconds(0.7),
        BetweenReplicaKills: TimeSpan.FromSeconds(10),
        Patience: TimeSpan.FromMinutes(30));

    public int Replicas => Embedded ? 1 : 2;

    public static SoakPlan Brief(bool embedded) => new(
        Tasks: 2_000,
        embedded,
        Takers: 4,
        DueWithin: TimeSpan.FromSeconds(6),
        AcknowledgementsBeforeKill: 50,
        BetweenTakerKills: TimeSpan.FromSeconds(0.7),
        BetweenReplicaKills: TimeSpan.FromSeconds(5),
        Patience: TimeSpan.FromMinutes(2));
}
