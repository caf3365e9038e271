using Dbos.Api.Tests.Support;
using Dbos.Testing.Otlp;
using Grpc.Core;

namespace Dbos.Api.Tests.Telemetry;

/// <summary>One DBOS on Redis that sends its traces to a receiver, and soon.</summary>
[CollectionDefinition(nameof(TracedDbos))]
public sealed class TracedDbos : ICollectionFixture<TracedDbos>, IAsyncLifetime
{
    private Deployment? deployment;
    private OtlpReceiver? receiver;

    public OtlpReceiver Receiver => receiver ?? throw new InvalidOperationException("not started");

    public Deployment Deployment => deployment ?? throw new InvalidOperationException("not started");

    public DBOS.DBOSClient Client => Deployment.Client;

    public static (string Name, string Value)[] SettingsFor(OtlpReceiver receiver) =>
        [("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.Endpoint), ("OTEL_BSP_SCHEDULE_DELAY", "50")];

    public async Task InitializeAsync()
    {
        receiver = await OtlpReceiver.Start();
        deployment = await Deployment.Start(StoreKind.Redis, servers: 1, SettingsFor(receiver));
    }

    public async Task DisposeAsync()
    {
        await Deployment.DisposeAsync();
        await Receiver.DisposeAsync();
    }
}

/// <summary>A caller's own span, that of W3C's metadata.</summary>
public sealed record CallerSpan(bool IsSampled = true)
{
    public string TraceId { get; } = Guid.NewGuid().ToString("n");

    public string SpanId { get; } = Guid.NewGuid().ToString("n")[..16];

    public Metadata Metadata => new() { { "traceparent", $"00-{TraceId}-{SpanId}-{(IsSampled ? "01" : "00")}" } };
}
