using System.Globalization;
using System.Threading.RateLimiting;
using Grpc.Core;
using Microsoft.AspNetCore.RateLimiting;

namespace Dbos.Api.Hosting;

/// <summary>
/// Calls beyond what may be in flight are refused before anything is read or done for them, so that those let in are
/// answered soon. Reads and writes have limits of their own, so that neither keeps the other out. How much of what was let in is sent
/// to the store at a time is limited there, by what it costs (StorePermits). Streams, health and reflection are not counted.
/// </summary>
public static class Overload
{
    /// <summary>The limit of what changes one thing each.</summary>
    public const string Writes = "writes";

    /// <summary>The limit of what may change a thousand tasks.</summary>
    public const string Batches = "batches";

    /// <summary>The limit of what reads up to a reply.</summary>
    public const string Reads = "reads";

    /// <summary>The limit of what reads much more than it answers.</summary>
    public const string Searches = "searches";

    /// <summary>A batch may cost what hundreds of calls cost; few are enough to keep a store busy.</summary>
    private const int CallsToABatch = 32;

    /// <summary>
    /// In which gRPC clients with a retry policy obey the server (gRFC A6, "pushback"): by then what is in flight now has been answered.
    /// </summary>
    private static readonly KeyValuePair<string, string> Pushback = new("grpc-retry-pushback-ms", "250");

    private static readonly string Exhausted = ((int)StatusCode.ResourceExhausted).ToString(CultureInfo.InvariantCulture);

    public static void AddOverloadLimits(this IServiceCollection services, int mostCallsInFlight) => services.AddRateLimiter(limits =>
    {
        var mostBatches = Math.Max(1, mostCallsInFlight / CallsToABatch);
        limits.AddConcurrencyLimiter(Writes, writes => writes.PermitLimit = mostCallsInFlight);
        limits.AddConcurrencyLimiter(Batches, batches => batches.PermitLimit = mostBatches);
        limits.AddConcurrencyLimiter(Reads, reads => reads.PermitLimit = mostCallsInFlight);
        limits.AddConcurrencyLimiter(Searches, searches => searches.PermitLimit = mostBatches);
        limits.OnRejected = (rejected, _) =>
        {
            // A call without a reply has its status in its headers.
            var response = rejected.HttpContext.Response;
            response.StatusCode = StatusCodes.Status200OK;
            response.ContentType = "application/grpc";
            response.Headers.GrpcStatus = Exhausted;
            response.Headers.GrpcMessage = "too many calls are in flight";
            response.Headers[Pushback.Key] = Pushback.Value;
            return ValueTask.CompletedTask;
        };
    });

    /// <summary>For a call that was let in, but for which the store has no room.</summary>
    public static RpcException Refusal(string why) =>
        new(new Status(StatusCode.ResourceExhausted, why), new Metadata { { Pushback.Key, Pushback.Value } });
}
