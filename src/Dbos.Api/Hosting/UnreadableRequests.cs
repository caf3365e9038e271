using System.Globalization;
using Grpc.Core;

namespace Dbos.Api.Hosting;

public static class UnreadableRequests
{
    private static readonly string Unknown = Word(StatusCode.Unknown);
    private static readonly string Internal = Word(StatusCode.Internal);

    /// <summary>
    /// A request whose bytes are no message of its type never reaches the service: the framework answers it
    /// UNKNOWN, where gRPC elsewhere, and this service's promise, say INTERNAL.
    /// </summary>
    public static void UseInternalForUnreadableRequests(this IApplicationBuilder app) => app.Use(async (http, next) =>
    {
        await next(http);

        // The status of a call without a reply is still in the headers that are to be sent.
        if (!http.Response.HasStarted && http.Response.Headers.GrpcStatus == Unknown)
        {
            http.Response.Headers.GrpcStatus = Internal;
            http.Response.Headers.GrpcMessage = "the request could not be read";
        }
    });

    private static string Word(StatusCode status) => ((int)status).ToString(CultureInfo.InvariantCulture);
}
