using System.Collections.Concurrent;
using Dbos.Application.Tasks;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Tasks;

/// <summary>Passes on what the store tells to those who wait for tasks: each turn when it comes, not before.</summary>
public sealed class TaskWatcher(TaskSignals signals, TimeProvider clock) : IStoreWatcher
{
    /// <summary>After something may have been missed, this many lines of takers look again at a time, or as many as make this many slices.</summary>
    private const int LinesAtOnce = 20, MostSlices = 50;

    private static readonly TimeSpan BetweenSlices = TimeSpan.FromMilliseconds(20);

    /// <summary>Told already, and not due yet.</summary>
    private readonly ConcurrentDictionary<Turn, bool> coming = new();

    public bool IsWaitedOn => signals.HasWaiting;

    public void Due(Turn turn)
    {
        if (Left(turn) <= TimeSpan.Zero)
        {
            Call(turn);
        }
        else if (coming.TryAdd(turn, true))
        {
            _ = CallInTime(turn);
        }
    }

    public void Ended(string taskId, long leaseToken) => signals.Ended(new TaskDelivery(taskId, leaseToken));

    /// <summary>
    /// One taker of each line looks again, and calls the next one if it gets something. Thousands of lines are spread over a second.
    /// What full streams hold is looked up by <see cref="FullStreamSweep"/>.
    /// </summary>
    public void Missed() => _ = CallEachLine();

    private async Task CallEachLine()
    {
        var filters = signals.Filters;
        foreach (var some in filters.Chunk(Math.Max(LinesAtOnce, (filters.Count / MostSlices) + 1)))
        {
            Array.ForEach(some, signals.MayBeDue);
            if (some[^1] != filters[^1])
            {
                await Task.Delay(BetweenSlices, clock);
            }
        }
    }

    private async Task CallInTime(Turn turn)
    {
        // A timer may fire a little early, and a look before the time is a look in vain.
        while (Left(turn) is var left && left > TimeSpan.Zero)
        {
            await Task.Delay(left + TimeSpan.FromMilliseconds(1), clock);
        }

        coming.TryRemove(turn, out _);
        Call(turn);
    }

    private TimeSpan Left(Turn turn) => DateTimeOffset.FromUnixTimeMilliseconds(turn.Due) - clock.GetUtcNow();

    private void Call(Turn turn)
    {
        if (turn.IsOfAnyLane)
        {
            signals.AnyDue();
            return;
        }

        var (agentId, moduleName) = QueueNames.Read(turn.LaneName);
        signals.Due(agentId, moduleName);
    }
}
