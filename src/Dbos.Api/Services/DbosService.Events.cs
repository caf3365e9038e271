using Dbos.Api.Hosting;
using Dbos.Application.Events;
using Dbos.Wire;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.RateLimiting;
using Task = System.Threading.Tasks.Task;

namespace Dbos.Api.Services;

public sealed partial class DbosService
{
    [EnableRateLimiting(Overload.Reads)]
    public override async Task<GetEventsResponse> GetEvents(GetEventsRequest request, ServerCallContext context)
    {
        var answer = await Ask(new GetEvents(request.Limit, EventFilter.Of(request.Type, request.AgentId, request.RequestId, request.Since), request.PageToken), context);
        if (answer.Refusal is { } refusal)
        {
            return new GetEventsResponse { Error = refusal.Sentence, Code = Code(refusal) };
        }

        var list = answer.Value;
        return new GetEventsResponse
        {
            Events = { list.Events.Select(UnsafeByteOperations.UnsafeWrap) },
            Error = list.Cut ? $"the events were cut after {list.Events.Count}: more would not fit into a reply" : string.Empty,
            Code = list.Cut ? ErrorCode.ListCut : ErrorCode.None,
            NextPageToken = list.Next?.ToString() ?? string.Empty,
            SearchedBackTo = list.SearchedBackTo?.ToUnixTimeSeconds() ?? 0,
        };
    }

    [DisableRateLimiting]
    public override async Task WatchEvents(
        WatchEventsRequest request, IServerStreamWriter<WatchEventsResponse> responseStream, ServerCallContext context)
    {
        var filter = EventFilter.Of(request.Type, request.AgentId, request.RequestId, request.Since);
        var answer = await Ask(new WatchEvents(filter, request.After), context);
        if (answer.Refusal is { } refusal)
        {
            await responseStream.WriteAsync(new WatchEventsResponse { Error = refusal.Sentence, Code = Code(refusal) });
            return;
        }

        await Stream(
            answer.Value,
            responseStream,
            batch => new WatchEventsResponse
            {
                Events = { batch.Events.Select(UnsafeByteOperations.UnsafeWrap) },
                ResumeToken = batch.Place?.ToString() ?? string.Empty,
                Error = batch.Refusal?.Sentence ?? string.Empty,
                Code = batch.Refusal is { } end ? Code(end) : ErrorCode.None,
            },
            nameof(WatchEvents),
            context);
    }
}
