using Dbos.Application.Pipeline;

namespace Dbos.Application.Tasks;

/// <summary>Returns expired leases to the queue, or to the dead-letter queue when they expired too often.</summary>
public sealed class LeaseSweep(ITaskRepository tasks) : ISweep
{
    private static readonly Origin Origin = Origin.Background("lease-sweep");

    public Task<int> Run(CancellationToken cancellation) => tasks.ExpireLeases(Origin, cancellation);
}
