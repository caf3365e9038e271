using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using Dbos.Application.Pipeline;

namespace Dbos.Infrastructure.Store;

/// <summary>
/// One time that an engine is asked, by OpenTelemetry's conventions for databases: what is asked again after a brief outage is
/// one for each trial. How long it takes is measured, where anything is; a client span it has where its call is traced, so the probe of each
/// second has none.
/// </summary>
internal sealed class StoreOperation : IDisposable
{
    private static readonly Meter Meter = new("Dbos.Infrastructure");

    private static readonly Histogram<double> Durations = Meter.CreateHistogram(
        "db.client.operation.duration",
        "s",
        "Duration of store operations.",
        advice: new InstrumentAdvice<double>
        {
            // Redis answers in tenths of milliseconds; nobody waits longer than 3 s.
            HistogramBucketBoundaries = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
        });

    private readonly long since = Stopwatch.GetTimestamp();
    private readonly Activity? span;
    private TagList tags;

    private StoreOperation(string system, string operation, int partition, string? script)
    {
        tags = new TagList { { "db.system.name", system }, { "db.operation.name", operation } };
        if (script is not null)
        {
            tags.Add("db.stored_procedure.name", script);
        }

        if (IsTraced && Spans.Source.StartActivity(script is null ? operation : $"{operation} {script}", ActivityKind.Client) is { } started)
        {
            span = started;
            foreach (var (name, value) in tags)
            {
                span.SetTag(name, value);
            }

            span.SetTag("dbos.partition", partition);
        }
    }

    /// <summary>Somebody wants to know of it.</summary>
    public static bool IsWatched => IsTraced || Durations.Enabled;

    private static bool IsTraced => Activity.Current is { IsAllDataRequested: true };

    /// <summary>Null: nobody wants to know.</summary>
    /// <param name="script">Its name, where it is one that the operation runs.</param>
    public static StoreOperation? Begin(string system, string operation, int partition, string? script = null) =>
        IsWatched ? new StoreOperation(system, operation, partition, script) : null;

    public bool HasSpan => span is not null;

    /// <summary>Told by the span alone.</summary>
    /// <param name="server">Null: it is not known.</param>
    public void TellServer(EndPoint? server)
    {
        var (address, port) = server switch
        {
            IPEndPoint ip => (ip.Address.ToString(), ip.Port),
            DnsEndPoint dns => (dns.Host, dns.Port),
            _ => (null, 0),
        };
        if (address is not null)
        {
            span?.SetTag("server.address", address).SetTag("server.port", port);
        }
    }

    /// <summary>What stood in the way is in an outage what caused it.</summary>
    public void Fail(Exception error)
    {
        var type = (error.InnerException ?? error).GetType().FullName!;
        tags.Add("error.type", type);
        span?.Fail(type);
    }

    public void Dispose()
    {
        Durations.Record(Stopwatch.GetElapsedTime(since).TotalSeconds, tags);
        span?.Dispose();
    }
}
