using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Domain.Results;

namespace Dbos.Application.Results;

public interface IResultRepository
{
    Task<MeasurementResult?> Find(string agentId, string resultId, CancellationToken cancellation);

    /// <summary>Latest stored first.</summary>
    Task<Page<MeasurementResult>> List(string agentId, PageRequest page, CancellationToken cancellation);

    /// <summary>Stores it if the agent has no result of that id.</summary>
    Task<Saved<MeasurementResult>> Save(MeasurementResult result, CommitContext work, CancellationToken cancellation);
}
