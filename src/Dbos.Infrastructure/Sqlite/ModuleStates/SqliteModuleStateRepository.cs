using Dbos.Application.ModuleStates;
using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Domain.ModuleStates;
using Dbos.Infrastructure.ModuleStates;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Sqlite.ModuleStates;

/// <summary>Module states in the embedded store. The domain decides inside the transaction.</summary>
public sealed class SqliteModuleStateRepository(SqliteDatabase database, TimeProvider clock) : IModuleStateRepository
{
    public Task<Saved<ModuleState>> Report(ReportedState reported, CommitContext work, CancellationToken cancellation) =>
        database.Write(session => Report(session, reported, work), cancellation, "set_module_state");

    public Task<ModuleState?> Find(string requestId, string agentId, CancellationToken cancellation) => database.Read(
        session => agentId.Length > 0 ? session.FindState(requestId, agentId, string.Empty)?.State : session.LatestState(requestId),
        "find_module_state");

    public Task<Page<ModuleState>> List(StateFilter filter, PageRequest page, CancellationToken cancellation) => database.Read(
        session =>
        {
            var items = new ModuleStatePage(filter, page);
            session.ReadStates(filter, items);
            return items.End();
        },
        "list_module_states",
        cost: StorePermits.CostOfEntries(page.Limit));

    private Saved<ModuleState> Report(SqliteSession session, ReportedState reported, CommitContext work)
    {
        var now = clock.GetUtcNow();
        var ms = now.ToUnixTimeMilliseconds();
        var mark = work.Mark is { } named ? Names.Mark(named.Name) : null;
        if (mark is not null && session.MarkNamed(mark, ms) is { } first)
        {
            return new Saved<ModuleState>.Replayed(MarkValue.Read(first.Value.Span, work.Mark!.Content));
        }

        var stored = session.FindState(reported.RequestId, reported.AgentId, reported.ModuleName);
        var decided = ModuleState.Report(stored?.State, reported, now);
        if (decided.IsRefused || decided.Value.IsReplay)
        {
            return new Saved<ModuleState>.Conflict(stored?.State);
        }

        var next = decided.Value.Next;
        session.Write(stored?.Id, decided.Value, work.Origin, now);
        if (mark is not null)
        {
            session.Put(new StoredMark(mark, MarkValue.Write(next.Version, work.Mark!.Content), IdempotencyMark.Lifetime), ms);
        }

        return new Saved<ModuleState>.Done(next.Version);
    }
}
