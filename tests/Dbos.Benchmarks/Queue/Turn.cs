namespace Dbos.Benchmarks.Queue;

/// <summary>What is measured once in each round: a load of tasks that goes into a queue or out of it.</summary>
/// <param name="store">Process of the server that keeps the tasks; null: the store is part of the process <paramref name="own"/>.</param>
/// <param name="own">Process of DBOS or of another queue.</param>
/// <param name="measure">Returns tasks a second.</param>
/// <param name="before">Prepares the turn and is not measured.</param>
internal sealed class Turn(string name, int tasks, int? store, int own, Func<int, Task<double>> measure, Func<int, Task>? before = null)
{
    private readonly List<double> storeMicroseconds = [];
    private readonly List<double> ownMicroseconds = [];

    public string Name => name;

    public Rate Rate { get; } = new();

    /// <summary>Processor time of the store per task.</summary>
    public double? StoreMicroseconds => store is null ? null : Round.Median(storeMicroseconds);

    /// <summary>Processor time of the process <c>own</c> per task.</summary>
    public double OwnMicroseconds => Round.Median(ownMicroseconds);

    /// <param name="counts">False for warm-up rounds.</param>
    public async Task Take(bool counts)
    {
        if (before is not null)
        {
            await before(tasks);
        }

        var (storeBefore, ownBefore) = (Spent(store), Spent(own));
        var perSecond = await measure(tasks);
        if (counts)
        {
            Rate.Add(perSecond);
            storeMicroseconds.Add((Spent(store) - storeBefore) / tasks);
            ownMicroseconds.Add((Spent(own) - ownBefore) / tasks);
        }
    }

    private static double Spent(int? process) => process is { } id ? ProcessorClock.Of(id).TotalMicroseconds : 0;
}
