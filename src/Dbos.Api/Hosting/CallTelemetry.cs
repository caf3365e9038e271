using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text.Json;
using Dbos.Application.Pipeline;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Http.Features;

namespace Dbos.Api.Hosting;

/// <summary>How long calls take and how they end, as metrics and in the span that ASP.NET Core made, by the semantic conventions of OpenTelemetry.</summary>
public static class CallTelemetry
{
    /// <summary>For a method that does not exist: callers' words are no good as attributes.</summary>
    private const string NoMethod = "_OTHER";

    /// <summary>Health and metrics are asked for all the time, and tell nothing of what became of a request.</summary>
    private const string Traced = "/dbos.DBOS";

    private static readonly Meter Meter = new("Dbos.Api");

    private static readonly Histogram<double> Durations = Meter.CreateHistogram(
        "rpc.server.call.duration",
        "s",
        "Duration of calls; of a stream from its beginning to its end.",
        advice: new InstrumentAdvice<double>
        {
            HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
        });

    private static readonly ConcurrentDictionary<string, string> Methods = [];

    private static readonly string[] Statuses =
        [.. Enum.GetValues<StatusCode>().Order().Select(status => JsonNamingPolicy.SnakeCaseUpper.ConvertName(status.ToString()))];

    /// <summary>Outside of whatever may answer a call.</summary>
    public static void UseCallTelemetry(this IApplicationBuilder app) => app.Use(async (http, next) =>
    {
        var since = Stopwatch.GetTimestamp();
        var span = http.Features.Get<IHttpActivityFeature>()?.Activity;
        if (!http.Request.Path.StartsWithSegments(Traced))
        {
            span?.Drop();
        }

        try
        {
            await next(http);
        }
        finally
        {
            if (http.Request.ContentType?.StartsWith("application/grpc", StringComparison.Ordinal) == true)
            {
                Tell(http, span, Stopwatch.GetElapsedTime(since));
            }
        }
    });

    private static void Tell(HttpContext http, Activity? span, TimeSpan duration)
    {
        var (method, status) = (MethodOf(http), StatusOf(http));
        var isError = status is StatusCode.Unknown or StatusCode.DeadlineExceeded or StatusCode.Unimplemented or StatusCode.Internal
            or StatusCode.Unavailable or StatusCode.DataLoss;
        var tags = new TagList
        {
            { "rpc.system.name", "grpc" },
            { "rpc.method", method },
            { "rpc.response.status_code", Statuses[(int)status] },
        };
        if (isError)
        {
            tags.Add("error.type", Statuses[(int)status]);
        }

        if (span is { IsAllDataRequested: true })
        {
            span.DisplayName = method;
            foreach (var (name, value) in tags)
            {
                span.SetTag(name, value);
            }

            span.SetStatus(isError ? ActivityStatusCode.Error : ActivityStatusCode.Unset);
        }

        if (http.RequestServices.GetRequiredService<CallContext>().Outcome is { } outcome)
        {
            tags.Add("dbos.outcome", outcome);
        }

        Durations.Record(duration.TotalSeconds, tags);
    }

    /// <summary>Nobody is to keep it, nor what would be below it.</summary>
    private static void Drop(this Activity span)
    {
        span.IsAllDataRequested = false;
        span.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
    }

    private static string MethodOf(HttpContext http) =>
        http.GetEndpoint()?.Metadata.GetMetadata<GrpcMethodMetadata>() is { } called
            ? Methods.GetOrAdd(called.Method.FullName, static name => name.TrimStart('/'))
            : NoMethod;

    /// <summary>It is in the headers where there was no reply, else in the trailers; nowhere where nobody listens any more.</summary>
    private static StatusCode StatusOf(HttpContext http)
    {
        var told = http.Response.Headers.GrpcStatus;
        if (told.Count == 0)
        {
            told = http.Features.Get<IHttpResponseTrailersFeature>()?.Trailers.GrpcStatus ?? default;
        }

        return int.TryParse(told, NumberStyles.None, CultureInfo.InvariantCulture, out var status) && status < Statuses.Length
            ? (StatusCode)status
            : StatusCode.Cancelled;
    }
}
