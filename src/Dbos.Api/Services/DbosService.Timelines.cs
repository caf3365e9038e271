using Dbos.Api.Hosting;
using Dbos.Application.Timelines;
using Dbos.Wire;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.RateLimiting;
using StoredResult = Dbos.Wire.StoredResult;
using TimelineEntry = Dbos.Wire.TimelineEntry;
using TimelineSource = Dbos.Wire.TimelineSource;

namespace Dbos.Api.Services;

public sealed partial class DbosService
{
    [EnableRateLimiting(Overload.Searches)]
    public override async Task<GetRequestTimelineResponse> GetRequestTimeline(GetRequestTimelineRequest request, ServerCallContext context)
    {
        var answer = await Ask(new GetRequestTimeline(request.RequestId), context);
        if (answer.Refusal is { } refusal)
        {
            return new GetRequestTimelineResponse { Error = refusal.Sentence, Code = Code(refusal) };
        }

        var timeline = answer.Value;
        return new GetRequestTimelineResponse
        {
            Found = true,
            Task = timeline.Task is { } task ? OnWire(task with { Payload = default }) : null,
            State = timeline.States is [var latest, ..] ? OnWire(latest) : null,
            States = { timeline.States.Select(OnWire) },
            Results =
            {
                timeline.Results.Select(result => new StoredResult
                {
                    AgentId = result.AgentId,
                    ModuleName = result.ModuleName,
                    Bytes = result.Bytes,
                    StoredAtMs = result.StoredAt.ToUnixTimeMilliseconds(),
                }),
            },
            Entries = { timeline.Entries.Select(OnWire) },
            SearchedBackTo = timeline.SearchedBackTo?.ToUnixTimeSeconds() ?? 0,
        };
    }

    /// <summary>The number of a source on the wire is its number in the application.</summary>
    private static TimelineEntry OnWire(Application.Timelines.TimelineEntry entry) => new()
    {
        TimestampMs = entry.At.ToUnixTimeMilliseconds(),
        Kind = entry.Kind,
        Source = (TimelineSource)entry.Source,
        Message = entry.Message,
        AgentId = entry.AgentId,
        ModuleName = entry.ModuleName,
        LeaseToken = entry.LeaseToken,
        State = entry.State,
        Version = entry.Version,
        Event = entry.Event is { } told ? UnsafeByteOperations.UnsafeWrap(told.Json) : ByteString.Empty,
    };
}
