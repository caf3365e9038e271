using Dbos.Infrastructure.Sqlite;

namespace Dbos.Api.Hosting;

public static partial class Startup
{
    /// <summary>Before the first call, so that a data directory in use stops the start.</summary>
    public static void OpenEmbeddedStore(this WebApplication app) => app.Services.GetService<SqliteStore>();

    [LoggerMessage(LogLevel.Information, "DBOS serves gRPC on port {Port}, and keeps its data in {Store}")]
    public static partial void LogServing(this ILogger logger, int port, string store);
}
