using Dbos.Application.Pipeline;

namespace Dbos.Application.Tasks;

/// <summary>Removes completed and cancelled tasks that were kept for long enough. Dead letters stay.</summary>
public sealed class RetentionSweep(ITaskRepository tasks) : ISweep
{
    public Task<int> Run(CancellationToken cancellation) => tasks.PurgeEnded(cancellation);
}
