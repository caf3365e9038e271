using System.Globalization;
using Grpc.Core;

namespace Dbos.Api.Hosting;

public static class UnknownStatus
{
    private const string GrpcStatus = "grpc-status";
    private static readonly string Unknown = Number(StatusCode.Unknown);
    private static readonly string Internal = Number(StatusCode.Internal);

    /// <summary>
    /// The framework answers bytes that are no message with UNKNOWN before any interceptor sees the call; on
    /// the wire a failure inside DBOS is INTERNAL.
    /// </summary>
    public static void UseInternalForUnknown(this WebApplication app) => app.Use(async (context, next) =>
    {
        await next(context);
        if (!context.Response.HasStarted && context.Response.Headers[GrpcStatus] == Unknown)
        {
            context.Response.Headers[GrpcStatus] = Internal;
        }
    });

    private static string Number(StatusCode code) => ((int)code).ToString(CultureInfo.InvariantCulture);
}
