using Dbos.Application.Pipeline;
using Dbos.Infrastructure;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Dbos.Api.Hosting;

/// <summary>
/// Where traces and metrics go. What else the OTEL_ variables say of names, sampling, batches, limits and the exporter of
/// all signals, OpenTelemetry reads itself, from the environment or appsettings.json.
/// </summary>
public static class Telemetry
{
    /// <summary>Of the span that ASP.NET Core makes of each request.</summary>
    private const string Server = "Microsoft.AspNetCore";

    /// <summary>
    /// Traces by OTLP, when there is somewhere to send them to. Metrics, of which docs/metrics.md is the list, likewise; and to be
    /// fetched in Prometheus's format, when METRICS_PORT is set.
    /// </summary>
    /// <returns>Whether anything is traced or measured at all.</returns>
    public static bool AddTelemetry(this IServiceCollection services, IConfiguration configuration, Settings settings)
    {
        var (traces, measures) = (new OtlpSettings(configuration, "TRACES"), new OtlpSettings(configuration, "METRICS"));
        var (isTraced, isSent) = (traces.HasReceiver, measures.HasReceiver);
        var isFetched = settings.MetricsPort is not null;
        if (!isTraced && !isSent && !isFetched)
        {
            return false;
        }

        var telemetry = services.AddOpenTelemetry().ConfigureResource(resource => resource
            .AddService("dbos", serviceInstanceId: settings.Policy.ServerId)
            .AddEnvironmentVariableDetector());
        if (isTraced)
        {
            telemetry.WithTracing(tracing => tracing
                .AddSource(Server, Spans.SourceName)
                .AddOtlpExporter(traces.Apply));
        }

        if (isSent || isFetched)
        {
            services.AddStoreGauges();
            telemetry.WithMetrics(metrics =>
            {
                metrics.AddMeter("Dbos.*", "System.Runtime");
                if (isSent)
                {
                    metrics.AddOtlpExporter(measures.Apply);
                }

                if (isFetched)
                {
                    metrics.AddPrometheusExporter();
                }
            });
        }

        return true;
    }
}
