using Dbos.Api.Hosting;
using Dbos.Application.Paging;
using Dbos.Application.Results;
using Dbos.Wire;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.RateLimiting;

namespace Dbos.Api.Services;

public sealed partial class DbosService
{
    public override async Task<StoreResultResponse> StoreResult(StoreResultRequest request, ServerCallContext context)
    {
        var received = Received(request.Result);
        var answer = await Ask(new StoreResult(received), context);
        return answer.Refusal is { } refusal
            ? new StoreResultResponse { Error = refusal.Sentence, Code = Code(refusal) }
            : new StoreResultResponse
            {
                Success = true,
                Duplicate = answer.Value.Duplicate,
                ContentDiffers = answer.Value.ContentDiffers,
                Error = answer.Value.ContentDiffers ? $"result '{received!.Id}' of agent '{received.AgentId}' was stored before with other data, which are kept" : string.Empty,
            };
    }

    [EnableRateLimiting(Overload.Reads)]
    public override async Task<GetResultResponse> GetResult(GetResultRequest request, ServerCallContext context)
    {
        var answer = await Ask(new GetResult(request.AgentId, request.RequestId), context);
        return answer.Refusal is { } refusal
            ? new GetResultResponse { Error = refusal.Sentence, Code = Code(refusal) }
            : new GetResultResponse { Found = true, Result = OnWire(answer.Value) };
    }

    [EnableRateLimiting(Overload.Reads)]
    public override async Task<ListResultsResponse> ListResults(ListResultsRequest request, ServerCallContext context)
    {
        var answer = await Ask(new ListResults(request.AgentId, new PageRequest(request.PageSize, request.PageToken)), context);
        if (answer.Refusal is { } refusal)
        {
            return new ListResultsResponse { Error = refusal.Sentence, Code = Code(refusal) };
        }

        var page = answer.Value;
        var (error, code) = Cut(request.PageSize, page);
        return new ListResultsResponse
        {
            Results = { page.Items.Select(OnWire) },
            NextPageToken = page.NextToken,
            Error = error,
            Code = code,
        };
    }

    private static Domain.Results.MeasurementResult? Received(MeasurementResult? result) => result is null
        ? null
        : new Domain.Results.MeasurementResult(
            result.Id,
            result.AgentId,
            result.ModuleName,
            result.Data.Memory,
            result.Timestamp,
            result.ReceivedAt,
            result.AgentStartTime,
            result.AgentRuntimeVersion,
            result.ModuleRevision,
            result.DbosServerId,
            result.IngestSource);

    private static MeasurementResult OnWire(Domain.Results.MeasurementResult result) => new()
    {
        Id = result.Id,
        AgentId = result.AgentId,
        ModuleName = result.ModuleName,
        Data = UnsafeByteOperations.UnsafeWrap(result.Data),
        Timestamp = result.Timestamp,
        ReceivedAt = result.ReceivedAt,
        AgentStartTime = result.AgentStartTime,
        AgentRuntimeVersion = result.AgentRuntimeVersion,
        ModuleRevision = result.ModuleRevision,
        DbosServerId = result.DbosServerId,
        IngestSource = result.IngestSource,
    };
}
