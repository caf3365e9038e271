using System.Collections.Concurrent;
using System.Globalization;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dbos.Testing.Otlp;

/// <summary>Receives traces over OTLP/gRPC, as Jaeger does, and keeps them.</summary>
public sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly ConcurrentQueue<ExportTraceServiceRequest> exports = [];

    private OtlpReceiver(int port)
    {
        Endpoint = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}");
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(System.Net.IPAddress.Loopback, port, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(exports);
        app = builder.Build();
        app.MapGrpcService<Service>();
    }

    /// <summary>For OTEL_EXPORTER_OTLP_ENDPOINT.</summary>
    public string Endpoint { get; }

    /// <summary>As they came: also what this does not read is in them.</summary>
    public IReadOnlyCollection<ExportTraceServiceRequest> Exports => exports;

    public IReadOnlyList<ExportedSpan> Spans =>
    [
        .. from export in exports
           from ofResource in export.ResourceSpans
           from scope in ofResource.ScopeSpans
           from span in scope.Spans
           select new ExportedSpan(ofResource.Resource, span),
    ];

    public static async Task<OtlpReceiver> Start()
    {
        var receiver = new OtlpReceiver(FreePort.Find());
        await receiver.app.StartAsync();
        return receiver;
    }

    /// <summary>Waits for the first span that is meant.</summary>
    public async Task<ExportedSpan> Receive(Func<ExportedSpan, bool> isMeant, string what)
    {
        ExportedSpan? found = null;
        await Eventually.True(
            () => Task.FromResult((found = Spans.FirstOrDefault(isMeant)) is not null), TimeSpan.FromSeconds(10), $"{what} is exported");
        return found!;
    }

    public void Forget() => exports.Clear();

    public async ValueTask DisposeAsync() => await app.DisposeAsync();

    private sealed class Service(ConcurrentQueue<ExportTraceServiceRequest> exports) : TraceService.TraceServiceBase
    {
        public override Task<ExportTraceServiceResponse> Export(ExportTraceServiceRequest request, ServerCallContext context)
        {
            exports.Enqueue(request);
            return Task.FromResult(new ExportTraceServiceResponse());
        }
    }
}
