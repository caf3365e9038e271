using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Domain.Results;

namespace Dbos.Application.Results;

/// <summary>Every method throws <see cref="StoreUnavailableException"/> when the store does not answer.</summary>
public interface IResultRepository
{
    /// <summary>
    /// Stores the result, with the events and the mark of its context, in one commit. What the agent stored under this id before is
    /// kept: then nothing is written, and the answer is a duplicate, whose content differs where the data are not the same bytes.
    /// </summary>
    Task<Written> Store(MeasurementResult result, CommitContext context, CancellationToken cancellation);

    /// <returns>Null: the agent has no result of this id.</returns>
    Task<MeasurementResult?> Find(string agentId, string resultId, CancellationToken cancellation);

    /// <summary>The results of every agent under one id, without their data: first stored first, at most 1,000.</summary>
    Task<IReadOnlyList<ResultSummary>> FindOfRequest(string resultId, CancellationToken cancellation);

    /// <summary>Latest stored first.</summary>
    /// <param name="agentId">Empty: the results of all agents.</param>
    Task<Page<MeasurementResult>> List(string agentId, PageRequest page, CancellationToken cancellation);
}

/// <param name="Bytes">How many bytes of data it has.</param>
/// <param name="ReceivedAt">Unix seconds.</param>
public sealed record ResultSummary(string AgentId, string ModuleName, long Bytes, long ReceivedAt)
{
    /// <summary>The most that are returned for one request.</summary>
    public const int MostOfRequest = 1_000;
}
