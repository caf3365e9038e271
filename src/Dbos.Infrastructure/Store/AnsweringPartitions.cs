using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using Dbos.Application;

namespace Dbos.Infrastructure.Store;

/// <summary>
/// The partitions of a store for those whom a part of the answer serves: while some are away, what the others have is had. That
/// there is nothing can only be said when all have answered.
/// </summary>
internal sealed class AnsweringPartitions(IReadOnlyList<int> all)
{
    private readonly ConcurrentDictionary<int, Exception> away = [];

    /// <summary>Those that have not failed to answer yet.</summary>
    public IReadOnlyList<int> Numbers => [.. all.Where(partition => !away.ContainsKey(partition))];

    /// <summary>What a partition answers; nothing if it does not, and it is not to be asked again.</summary>
    public async Task<IReadOnlyList<T>> Heard<T>(int partition, Task<IReadOnlyList<T>> answer)
    {
        try
        {
            return await answer;
        }
        catch (Exception outage) when (outage is StoreUnavailableException or StoreBusyException)
        {
            away.TryAdd(partition, outage);
            return [];
        }
    }

    /// <summary>To be called where nothing was found.</summary>
    /// <exception cref="StoreUnavailableException">A partition did not answer.</exception>
    /// <exception cref="StoreBusyException">Likewise, as too many calls wait.</exception>
    public void DemandAll()
    {
        foreach (var outage in away.Values)
        {
            ExceptionDispatchInfo.Throw(outage);
        }
    }
}
