using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Domain.ModuleStates;

namespace Dbos.Application.ModuleStates;

public interface IModuleStateRepository
{
    Task<ModuleState?> Find(string requestId, CancellationToken cancellation);

    /// <summary>The module's own life: what it reported without a request id.</summary>
    Task<ModuleState?> FindLife(string agentId, string moduleName, CancellationToken cancellation);

    /// <summary>Latest accepted first. An empty agent id or module name: of all of them.</summary>
    Task<Page<ModuleState>> List(string agentId, string moduleName, PageRequest page, CancellationToken cancellation);

    Task<Saved<ModuleState>> Save(ModuleState state, CommitContext work, CancellationToken cancellation);
}
