using System.Collections.Concurrent;
using System.Globalization;
using Dbos.Domain.Tasks;
using Microsoft.Extensions.DependencyInjection;

namespace Dbos.Application.Tests.Tasks;

/// <summary>Feeds of a store in which tasks are due one after the other.</summary>
public abstract class FedTakers : IDisposable
{
    protected static readonly StreamDueTasks TwoAtATime = new(TaskFilter.Any, MaxInflight: 2, 0);

    private readonly ConcurrentQueue<TakeOrder> orders = new();

    protected FedTakers()
    {
        Signals = Dbos.Services.GetRequiredService<TaskSignals>();
        Dbos.Tasks.Take(default!, default!, default).ReturnsForAnyArgs(call => Take(call.Arg<TakeOrder>()));
    }

    protected SubstitutedDbos Dbos { get; } = new();

    protected TaskSignals Signals { get; }

    protected ConcurrentQueue<MeasurementTask> Due { get; } = new();

    /// <summary>What was asked of the store, in order.</summary>
    protected IReadOnlyCollection<TakeOrder> Orders => orders;

    /// <summary>Called before each take.</summary>
    protected Func<Task> BeforeTake { get; set; } = () => Task.CompletedTask;

    public void Dispose()
    {
        Dbos.Dispose();
        GC.SuppressFinalize(this);
    }

    protected static MeasurementTask Numbered(int number) =>
        Samples.Inflight with { Id = string.Create(CultureInfo.InvariantCulture, $"task-{number}") };

    protected void AreDue(params int[] numbers)
    {
        foreach (var number in numbers)
        {
            Due.Enqueue(Numbered(number));
        }
    }

    private async Task<IReadOnlyList<MeasurementTask>> Take(TakeOrder order)
    {
        orders.Enqueue(order);
        await BeforeTake();
        var taken = new List<MeasurementTask>();
        while (taken.Count < order.Limit && Due.TryDequeue(out var task))
        {
            taken.Add(task with { VisibleAt = Dbos.Clock.GetUtcNow() + order.Lease });
        }

        return taken;
    }
}
