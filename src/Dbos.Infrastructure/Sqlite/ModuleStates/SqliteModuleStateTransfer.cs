using System.Runtime.CompilerServices;
using Dbos.Infrastructure.ModuleStates;
using Dbos.Infrastructure.Transfer;

namespace Dbos.Infrastructure.Sqlite.ModuleStates;

/// <summary>All module states of the embedded store.</summary>
internal sealed class SqliteModuleStateTransfer(SqliteDatabase database) : ISubjectTransfer<StoredModuleState>
{
    private const int Slice = 500;

    public async IAsyncEnumerable<StoredModuleState> Export([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        List<(long Id, StoredModuleState State)> slice;
        var last = 0L;
        do
        {
            cancellation.ThrowIfCancellationRequested();
            slice = await database.Read(session => session.StatesBehind(last, Slice), "export_module_states");
            foreach (var (id, state) in slice)
            {
                last = id;
                yield return state;
            }
        }
        while (slice.Count == Slice);
    }

    public Task Import(IReadOnlyList<StoredModuleState> records, CancellationToken cancellation) => database.Write(
        session =>
        {
            foreach (var (state, changedAt) in records)
            {
                session.InsertState(state, changedAt);
            }

            return true;
        },
        cancellation,
        "import_module_states");
}
