using Dbos.Application.ModuleStates;
using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Domain.ModuleStates;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.ModuleStates;

public sealed class ModuleStateRepository(IStore store, EventWriter events, Heartbeats heartbeats, TimeProvider clock) : IModuleStateRepository
{
    private readonly Records<ModuleState> records = new(store, events, heartbeats, (state, record) => state with { Version = record.Version });

    public Task<ModuleState?> Find(string requestId, CancellationToken cancellation) =>
        records.Find(KeyOf(requestId), cancellation);

    public Task<ModuleState?> FindLife(string agentId, string moduleName, CancellationToken cancellation) =>
        records.Find(LifeKeyOf(agentId, moduleName), cancellation);

    public Task<Page<ModuleState>> List(string agentId, string moduleName, PageRequest page, CancellationToken cancellation)
    {
        var index = (agentId, moduleName) switch
        {
            ("", "") => Names.States,
            ("", _) => Names.StatesOfModule(moduleName),
            (_, "") => Names.StatesOfAgent(agentId),
            _ => Names.StatesOf(agentId, moduleName),
        };
        var below = page.After;
        return records.List(
            store.AllPartitions(),
            Orders.Highest,
            (partition, count) => store.Highest(new StoreKey(partition, index), below, count, cancellation),
            recordOf: static member => member,
            page,
            cancellation);
    }

    public Task<Saved<ModuleState>> Save(ModuleState state, CommitContext work, CancellationToken cancellation)
    {
        var key = state.RequestId.Length > 0 ? KeyOf(state.RequestId) : LifeKeyOf(state.AgentId, state.ModuleName);
        var indexes = IndexesOf(state, key.Name, Orders.Recency(clock.GetUtcNow()));
        return records.Save(state, key, work, indexes, cancellation);
    }

    internal static IReadOnlyList<IndexChange> IndexesOf(ModuleState state, string record, long recency) =>
    [
        new(Names.States, record, recency),
        new(Names.StatesOfAgent(state.AgentId), record, recency),
        new(Names.StatesOfModule(state.ModuleName), record, recency),
        new(Names.StatesOf(state.AgentId, state.ModuleName), record, recency),
    ];

    private StoreKey KeyOf(string requestId) => new(store.PartitionOf(requestId), Names.State(requestId));

    private StoreKey LifeKeyOf(string agentId, string moduleName) =>
        new(store.PartitionOf(agentId), Names.Life(agentId, moduleName));
}
