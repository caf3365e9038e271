using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dbos.Testing.Otlp;

/// <summary>Receives traces over OTLP/gRPC, as Jaeger does, and metrics, and keeps them.</summary>
public sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly Received received = new();

    private OtlpReceiver(int port)
    {
        Endpoint = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}");
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(System.Net.IPAddress.Loopback, port, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(received);
        app = builder.Build();
        app.MapGrpcService<Traces>();
        app.MapGrpcService<Measures>();
    }

    /// <summary>For OTEL_EXPORTER_OTLP_ENDPOINT.</summary>
    public string Endpoint { get; }

    /// <summary>As they came: also what this does not read is in them.</summary>
    public IReadOnlyCollection<ExportTraceServiceRequest> Exports => received.Traces;

    /// <summary>As they came, in which names are plain text.</summary>
    public IReadOnlyCollection<string> Metrics => received.Metrics;

    /// <summary>The headers that traces came with.</summary>
    public IReadOnlyCollection<Metadata> Headers => received.Headers;

    public IReadOnlyList<ExportedSpan> Spans =>
    [
        .. from export in received.Traces
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

    public void Forget() => received.Traces.Clear();

    public async ValueTask DisposeAsync() => await app.DisposeAsync();

    private sealed class Received
    {
        public ConcurrentQueue<ExportTraceServiceRequest> Traces { get; } = [];

        public ConcurrentQueue<Metadata> Headers { get; } = [];

        public ConcurrentQueue<string> Metrics { get; } = [];
    }

    private sealed class Traces(Received received) : TraceService.TraceServiceBase
    {
        public override Task<ExportTraceServiceResponse> Export(ExportTraceServiceRequest request, ServerCallContext context)
        {
            received.Headers.Enqueue(context.RequestHeaders);
            received.Traces.Enqueue(request);
            return Task.FromResult(new ExportTraceServiceResponse());
        }
    }

    private sealed class Measures(Received received) : MetricsService.MetricsServiceBase
    {
        public override Task<ExportMetricsServiceResponse> Export(ExportMetricsServiceRequest request, ServerCallContext context)
        {
            received.Metrics.Enqueue(request.ToByteString().ToString(Encoding.Latin1));
            return Task.FromResult(new ExportMetricsServiceResponse());
        }
    }
}
