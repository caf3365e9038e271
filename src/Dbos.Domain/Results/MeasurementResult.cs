using System.Globalization;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using Names = Dbos.Domain.Audit.AuditEvent.Names;

namespace Dbos.Domain.Results;

/// <summary>
/// What one agent measured for one request: (<see cref="AgentId"/>, <see cref="Id"/>) names it. Stored once,
/// never overwritten. Times are Unix seconds.
/// </summary>
public sealed record MeasurementResult(
    string Id,
    string AgentId,
    string ModuleName,
    ReadOnlyMemory<byte> Data,
    long Timestamp,
    long ReceivedAt,
    long AgentStartTime,
    string AgentRuntimeVersion,
    string ModuleRevision,
    string DbosServerId,
    string IngestSource)
{
    /// <summary>A result is written once: nothing can follow.</summary>
    public const long Version = 1;

    public static Decision<MeasurementResult> Store(MeasurementResult? stored, MeasurementResult received) =>
        stored is null ? Decision.To(received, received.Stored()) : Decision.Replay(stored);

    /// <summary>What DBOS fills in, and what callers say beside the data, is not compared.</summary>
    public bool HasSameData(MeasurementResult other) => Data.Span.SequenceEqual(other.Data.Span);

    private AuditEvent Stored() => new(
        EventTypes.ResultStored,
        $"result {Id} of agent {AgentId} stored",
        (Names.AgentId, AgentId),
        (Names.ModuleName, ModuleName),
        (Names.RequestId, Id),
        ("bytes", Data.Length.ToString(CultureInfo.InvariantCulture)));
}
