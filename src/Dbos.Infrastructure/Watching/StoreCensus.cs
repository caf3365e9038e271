using Dbos.Application.Tasks;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Watching;

/// <summary>What the store holds at one moment, over all partitions.</summary>
internal sealed record StoreCensus(
    QueueStats Queue, long AgentsAlive, long AgentsKnown, IReadOnlyDictionary<EventLogName, long> Events, long Bytes)
{
    /// <summary>Lengths of indexes and lists, and counts: a few hundred small reads, sent in one go.</summary>
    public static async Task<StoreCensus> Take(IStore store, IEventStreams streams, ITaskRepository tasks, CancellationToken cancellation)
    {
        var queue = tasks.Stats(cancellation);
        var alive = Sum(partition => store.CountEntries(new StoreKey(partition, Names.AgentDeadlines), cancellation));
        var known = Sum(partition => store.CountEntries(new StoreKey(partition, Names.Agents), cancellation));
        var history = Sum(partition => streams.Length(new EventStreamKey(partition, EventLogName.History), cancellation));
        var refusals = Sum(partition => streams.Length(new EventStreamKey(partition, EventLogName.Refusals), cancellation));
        var bytes = store.Bytes(cancellation);
        await Task.WhenAll(queue, alive, known, history, refusals, bytes);
        return new StoreCensus(
            await queue,
            await alive,
            await known,
            new Dictionary<EventLogName, long> { [EventLogName.History] = await history, [EventLogName.Refusals] = await refusals },
            await bytes);

        async Task<long> Sum(Func<int, Task<long>> count) => (await Task.WhenAll(store.AllPartitions().Select(count))).Sum();
    }
}
