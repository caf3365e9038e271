using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Application.Results;
using Dbos.Domain.Results;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Results;

public sealed class ResultRepository(IStore store, EventWriter events, Heartbeats heartbeats, TimeProvider clock) : IResultRepository
{
    private readonly Records<MeasurementResult> records = new(
        store, events, heartbeats, (result, record) => result with { Data = record.Payload }, result => result.Data);

    public Task<MeasurementResult?> Find(string agentId, string resultId, CancellationToken cancellation) =>
        records.Find(KeyOf(agentId, resultId), cancellation);

    public Task<Page<MeasurementResult>> List(string agentId, PageRequest page, CancellationToken cancellation) =>
        records.List(
            [store.PartitionOf(agentId)],
            Orders.Highest,
            (partition, count) => store.Highest(new StoreKey(partition, Names.Results(agentId)), page.After, count, cancellation),
            resultId => Names.Result(agentId, resultId),
            page,
            cancellation);

    public Task<Saved<MeasurementResult>> Save(MeasurementResult result, CommitContext work, CancellationToken cancellation)
    {
        var indexes = IndexesOf(result, Orders.Recency(clock.GetUtcNow()));
        return records.Save(result, KeyOf(result.AgentId, result.Id), work, indexes, cancellation);
    }

    internal static IReadOnlyList<IndexChange> IndexesOf(MeasurementResult result, long recency) =>
        [new(Names.Results(result.AgentId), result.Id, recency)];

    private StoreKey KeyOf(string agentId, string resultId) =>
        new(store.PartitionOf(agentId), Names.Result(agentId, resultId));
}
