using Dbos.Api.Tests.Support;
using Dbos.Testing.Otlp;

namespace Dbos.Api.Tests.Telemetry;

/// <summary>What is said of one signal alone stands above what is said of all.</summary>
public sealed class SignalSettingsTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private static readonly (string, string)[] Soon = [("OTEL_BSP_SCHEDULE_DELAY", "50"), ("OTEL_METRIC_EXPORT_INTERVAL", "200")];

    [Fact]
    public async Task Each_signal_has_its_own_endpoint_protocol_and_headers()
    {
        await using var traces = await OtlpReceiver.Start();
        using var metrics = new HttpOtlpReceiver();
        await using var dbos = await Deployment.Start(
            StoreKind.Embedded,
            servers: 1,
            [
                .. Soon,
                ("OTEL_EXPORTER_OTLP_ENDPOINT", $"http://127.0.0.1:{FreePort.Find()}"),
                ("OTEL_EXPORTER_OTLP_HEADERS", "tenant=all"),
                ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", traces.Endpoint),
                ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "tenant=traces"),
                ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "gzip"),
                ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", $"{metrics.Address}own/path"),
                ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "http/protobuf"),
            ]);

        await dbos.Client.StoreResultAsync(Requests.Result("1"));

        await traces.Receive(span => span.Name == "StoreResult", "the trace");
        traces.Headers.Should().OnlyContain(headers => headers.GetValue("tenant") == "traces");
        await Eventually.True(() => metrics.Bodies.Any(body => body.Text.Contains("dbos.writes", StringComparison.Ordinal)), Patience, "dbos.writes is sent");
        metrics.Bodies.Should().OnlyContain(body => body.Path == "/own/path" && body.Tenant == "all");
    }

    [Fact]
    public async Task What_is_empty_is_as_if_it_were_not_set()
    {
        await using var receiver = await OtlpReceiver.Start();
        await using var dbos = await Deployment.Start(
            StoreKind.Embedded,
            servers: 1,
            [
                .. Soon,
                ("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.Endpoint),
                ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", string.Empty),
                ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", string.Empty),
                ("OTEL_TRACES_EXPORTER", string.Empty),
            ]);

        await dbos.Client.StoreResultAsync(Requests.Result("1"));

        await receiver.Receive(span => span.Name == "StoreResult", "the trace");
    }
}
