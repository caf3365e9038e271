using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;

namespace Dbos.Api.Tests.Support;

/// <summary>Takes what is sent by OTLP over HTTP; the names in it are plain text.</summary>
public sealed class HttpOtlpReceiver : IDisposable
{
    private readonly HttpListener listener = new();

    public HttpOtlpReceiver()
    {
        listener.Prefixes.Add(Address);
        listener.Start();
        _ = Receive();
    }

    /// <summary>Ends with a slash.</summary>
    public string Address { get; } = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{FreePort.Find()}/");

    /// <summary>Tenant: what the header of that name says.</summary>
    public ConcurrentQueue<(string Path, string? Tenant, string Text)> Bodies { get; } = [];

    /// <summary>Everything is sent soon.</summary>
    public (string, string)[] Settings =>
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", Address),
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
                Bodies.Enqueue((sent.Request.Url!.AbsolutePath, sent.Request.Headers["tenant"], Encoding.Latin1.GetString(body.ToArray())));
                sent.Response.Close();
            }
        }
        catch (Exception end) when (end is HttpListenerException or ObjectDisposedException)
        {
            // The receiver was disposed.
        }
    }
}
