using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;
using Dbos.Api.Tests.Support;

namespace Dbos.Api.Tests.Watching;

public sealed class OtlpMetricsTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    [Fact]
    public async Task Metrics_are_sent_to_the_OTLP_receiver()
    {
        using var receiver = new Receiver();
        await using var dbos = await Deployment.Start(StoreKind.Embedded, servers: 1, receiver.Settings);

        await dbos.Client.StoreResultAsync(Requests.Result("1"));

        foreach (var name in (string[])["rpc.server.call.duration", "dbos.writes", "db.client.operation.duration", "dbos.queue.depth", "dbos.store.size"])
        {
            await Eventually.True(
                () => receiver.Bodies.Any(body => body.Path == "/v1/metrics" && body.Text.Contains(name, StringComparison.Ordinal)), Patience, $"{name} is sent");
        }
    }

    [Fact]
    public async Task None_are_sent_where_the_standard_setting_says_so()
    {
        using var receiver = new Receiver();
        await using var dbos = await Deployment.Start(StoreKind.Embedded, servers: 1, [.. receiver.Settings, ("OTEL_METRICS_EXPORTER", "none")]);

        for (var calls = 1; calls <= 3; calls++)
        {
            var traced = receiver.Bodies.Count;
            await dbos.Client.StoreResultAsync(Requests.Result(Requests.NewId("result")));
            await Eventually.True(() => receiver.Bodies.Count > traced, Patience, "its trace is sent");
        }

        receiver.Bodies.Should().OnlyContain(body => body.Path == "/v1/traces");
    }

    /// <summary>Takes what is sent by OTLP over HTTP; the names in it are plain text.</summary>
    private sealed class Receiver : IDisposable
    {
        private readonly HttpListener listener = new();
        private readonly string address = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{FreePort.Find()}/");

        public Receiver()
        {
            listener.Prefixes.Add(address);
            listener.Start();
            _ = Receive();
        }

        public ConcurrentQueue<(string Path, string Text)> Bodies { get; } = [];

        /// <summary>Everything is sent soon.</summary>
        public (string, string)[] Settings =>
        [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", address),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "200"),
            ("OTEL_BSP_SCHEDULE_DELAY", "200"),
        ];

        public void Dispose() => listener.Close();

        private async Task Receive()
        {
            try
            {
                while (true)
                {
                    var sent = await listener.GetContextAsync();
                    using var body = new MemoryStream();
                    await sent.Request.InputStream.CopyToAsync(body);
                    Bodies.Enqueue((sent.Request.Url!.AbsolutePath, Encoding.Latin1.GetString(body.ToArray())));
                    sent.Response.Close();
                }
            }
            catch (Exception end) when (end is HttpListenerException or ObjectDisposedException)
            {
                // The receiver was disposed.
            }
        }
    }
}
