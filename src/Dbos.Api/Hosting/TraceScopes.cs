namespace Dbos.Api.Hosting;

/// <summary>A line of the log tells its trace where no span does.</summary>
public static class TraceScopes
{
    private static readonly Func<ILogger, string, IDisposable?> Scope = LoggerMessage.DefineScope<string>("TraceId:{TraceId}");

    /// <param name="traceId">Empty: none is known, and none is told.</param>
    public static IDisposable? InTrace(this ILogger logger, string traceId) => traceId.Length > 0 ? Scope(logger, traceId) : null;
}
