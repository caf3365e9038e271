using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Domain.ModuleStates;

namespace Dbos.Application.ModuleStates;

public interface IModuleStateRepository
{
    /// <summary>
    /// Stores the reported state, with its event and the command's mark, in one commit, where what is stored allows it:
    /// nothing is, or a state that the report may follow and does not merely repeat, at a version that it expects.
    /// </summary>
    /// <returns>Conflict: nothing was written, as the report is a replay of what is stored or must not follow it.</returns>
    /// <exception cref="StoreUnavailableException">Whether it was stored is unknown. It is safe to send it again.</exception>
    Task<Saved<ModuleState>> Report(ReportedState reported, CommitContext work, CancellationToken cancellation);

    /// <param name="agentId">Empty: the agent whose state of this request changed last.</param>
    /// <returns>Null: there is none.</returns>
    Task<ModuleState?> Find(string requestId, string agentId, CancellationToken cancellation);

    /// <summary>Latest accepted first.</summary>
    /// <returns>
    /// A page that holds fewer than asked for and is not the last where its bytes are full, or where a filter was to be applied to
    /// more states than are looked at for one page.
    /// </returns>
    Task<Page<ModuleState>> List(StateFilter filter, PageRequest page, CancellationToken cancellation);
}

/// <summary>Which states are listed. Empty, or null: any.</summary>
public sealed record StateFilter(string AgentId = "", string ModuleName = "", string RequestId = "", RunState? State = null);
