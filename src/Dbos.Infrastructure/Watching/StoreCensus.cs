using Dbos.Application.Agents;
using Dbos.Application.Tasks;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Watching;

/// <summary>What the store holds at one moment, over all partitions.</summary>
internal sealed record StoreCensus(
    QueueStats Queue, AgentCounts Agents, IReadOnlyDictionary<EventLogName, long> Events, long Bytes)
{
    /// <summary>Lengths of indexes and lists, and counts: a few hundred small reads, sent in one go.</summary>
    public static async Task<StoreCensus> Take(
        IStoreProbe store, IEventStreams streams, ITaskRepository tasks, IAgentRepository agents, CancellationToken cancellation)
    {
        var queue = tasks.Stats(cancellation);
        var counts = agents.Count(cancellation);
        var history = Sum(partition => streams.Length(new EventStreamKey(partition, EventLogName.History), cancellation));
        var refusals = Sum(partition => streams.Length(new EventStreamKey(partition, EventLogName.Refusals), cancellation));
        var bytes = store.Bytes(cancellation);
        await Task.WhenAll(queue, counts, history, refusals, bytes);
        return new StoreCensus(
            await queue,
            await counts,
            new Dictionary<EventLogName, long> { [EventLogName.History] = await history, [EventLogName.Refusals] = await refusals },
            await bytes);

        async Task<long> Sum(Func<int, Task<long>> count) => (await Task.WhenAll(Enumerable.Range(0, streams.Partitions).Select(count))).Sum();
    }
}
