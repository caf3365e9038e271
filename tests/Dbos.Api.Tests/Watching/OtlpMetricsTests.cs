using Dbos.Api.Tests.Support;
using Dbos.Api.Tests.Telemetry;
using Dbos.Testing.Otlp;

namespace Dbos.Api.Tests.Watching;

public sealed class OtlpMetricsTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    [Fact]
    public async Task Metrics_are_sent_to_the_OTLP_receiver()
    {
        using var receiver = new HttpOtlpReceiver();
        await using var dbos = await Deployment.Start(StoreKind.Embedded, servers: 1, receiver.Settings);

        await dbos.Client.StoreResultAsync(Requests.Result("1"));

        foreach (var name in (string[])["rpc.server.call.duration", "dbos.writes", "db.client.operation.duration", "dbos.queue.depth", "dbos.store.size"])
        {
            await Eventually.True(
                () => receiver.Bodies.Any(body => body.Path == "/v1/metrics" && body.Text.Contains(name, StringComparison.Ordinal)), Patience, $"{name} is sent");
        }
    }

    [Fact]
    public async Task Over_gRPC_too()
    {
        await using var receiver = await OtlpReceiver.Start();
        await using var dbos = await Deployment.Start(
            StoreKind.Embedded, servers: 1, [.. TracedDbos.SettingsFor(receiver), ("OTEL_METRIC_EXPORT_INTERVAL", "200")]);

        await dbos.Client.StoreResultAsync(Requests.Result("1"));

        await Eventually.True(() => receiver.Metrics.Any(metrics => metrics.Contains("dbos.writes", StringComparison.Ordinal)), Patience, "dbos.writes is sent");
    }

    [Theory]
    [InlineData("none")]
    [InlineData("None")]
    public async Task None_are_sent_where_the_standard_setting_says_so(string none)
    {
        using var receiver = new HttpOtlpReceiver();
        await using var dbos = await Deployment.Start(StoreKind.Embedded, servers: 1, [.. receiver.Settings, ("OTEL_METRICS_EXPORTER", none)]);

        for (var calls = 1; calls <= 3; calls++)
        {
            var traced = receiver.Bodies.Count;
            await dbos.Client.StoreResultAsync(Requests.Result(Requests.NewId("result")));
            await Eventually.True(() => receiver.Bodies.Count > traced, Patience, "its trace is sent");
        }

        receiver.Bodies.Should().OnlyContain(body => body.Path == "/v1/traces");
    }
}
