using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Domain.Tasks;

namespace Dbos.Application.Tasks;

/// <summary>Returns expired leases to the queue, or to the dead-letter queue when out of retries.</summary>
public sealed class LeaseSweep(ITaskRepository tasks, TimeProvider clock) : ISweep
{
    private const int Batch = 500;
    private static readonly Origin Origin = Origin.Background("lease-sweep");

    public async Task<int> Run(CancellationToken cancellation)
    {
        var expired = await tasks.ExpiredLeases(Batch, cancellation);
        var ended = await Task.WhenAll(expired.Select(task => Expire(task, cancellation)));
        return ended.Count(answer => !answer.Value.Duplicate);
    }

    private Task<Answer<Written>> Expire(MeasurementTask expired, CancellationToken cancellation)
    {
        var work = new UnitOfWork { Origin = Origin };
        return OptimisticWrite.Run<MeasurementTask>(
            work,
            load: () => Task.FromResult<MeasurementTask?>(expired),
            decide: task => task!.ExpireLease(clock.GetUtcNow()),
            save: task => tasks.Save(task, work, cancellation));
    }
}
