using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Dbos.Infrastructure.Store;

namespace Dbos.Api.Hosting;

public static partial class Startup
{
    /// <summary>Before the host tries, which would tell of a port in use with a stack trace.</summary>
    public static void CheckPorts(this Settings settings)
    {
        CheckPort("PORT", settings.Port);
        if (settings.MetricsPort is { } port)
        {
            CheckPort("METRICS_PORT", port);
        }
    }

    /// <summary>Before the first call, so that a data directory in use, or of another schema version, stops the start.</summary>
    public static Task OpenEmbeddedStore(this WebApplication app, StoreSettings store) => store.IsEmbedded
        ? app.Services.GetRequiredService<IStoreConnection>().Open(CancellationToken.None)
        : Task.CompletedTask;

    [LoggerMessage(LogLevel.Information, "DBOS serves gRPC on port {Port}, and keeps its data in {Store}")]
    public static partial void LogServing(this ILogger logger, int port, string store);

    [LoggerMessage(LogLevel.Information, "DBOS serves metrics and health over HTTP on port {Port}")]
    public static partial void LogServingMetrics(this ILogger logger, int port);

    private static void CheckPort(string name, int port)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(socket.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any, port));
        }
        catch (SocketException)
        {
            throw new SettingException(name, "a port that may be listened on and is not in use", port.ToString(CultureInfo.InvariantCulture));
        }
    }
}
