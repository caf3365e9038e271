using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Tests.Store;

internal static class SingleCommit
{
    public static async Task<CommitOutcome> Commit(this IStore store, Commit commit, CancellationToken cancellation) =>
        (await store.Commit([commit], cancellation)).Should().ContainSingle().Subject;
}
