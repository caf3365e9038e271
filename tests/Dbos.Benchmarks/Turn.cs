namespace Dbos.Benchmarks;

/// <summary>What is measured once in each round: a load of tasks that goes into a queue or out of it.</summary>
/// <param name="measure">Tells how many tasks a second it was.</param>
/// <param name="before">Makes it ready and is not measured.</param>
internal sealed class Turn(string name, int tasks, int redis, int own, Func<int, Task<double>> measure, Func<int, Task>? before = null)
{
    private readonly List<double> redisMicroseconds = [];
    private readonly List<double> ownMicroseconds = [];

    public string Name => name;

    public Rate Rate { get; } = new();

    /// <summary>Processor time that Redis spent on a task.</summary>
    public double RedisMicroseconds => Round.Median(redisMicroseconds);

    /// <summary>Processor time that DBOS, or the process with BullMQ in it, spent on a task.</summary>
    public double OwnMicroseconds => Round.Median(ownMicroseconds);

    /// <param name="counts">False while everything warms up.</param>
    public async Task Take(bool counts)
    {
        if (before is not null)
        {
            await before(tasks);
        }

        var (redisBefore, ownBefore) = (Round.ProcessorTime(redis), Round.ProcessorTime(own));
        var perSecond = await measure(tasks);
        if (counts)
        {
            Rate.Add(perSecond);
            redisMicroseconds.Add((Round.ProcessorTime(redis) - redisBefore).TotalMicroseconds / tasks);
            ownMicroseconds.Add((Round.ProcessorTime(own) - ownBefore).TotalMicroseconds / tasks);
        }
    }
}
