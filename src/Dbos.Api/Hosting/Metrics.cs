using Dbos.Infrastructure;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace Dbos.Api.Hosting;

/// <summary>Where what is measured goes. docs/metrics.md lists what that is.</summary>
public static class Metrics
{
    /// <summary>
    /// By OTLP, when there is somewhere to send them to and OTEL_METRICS_EXPORTER is not "none"; and to be fetched in
    /// Prometheus's format, when METRICS_PORT is set.
    /// </summary>
    /// <returns>Whether anything is measured at all.</returns>
    public static bool AddMetricsExport(this IServiceCollection services, IConfiguration configuration, Settings settings)
    {
        var isSent = configuration["OTEL_METRICS_EXPORTER"] != "none"
            && !string.IsNullOrEmpty(configuration["OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"] ?? configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]);
        var isFetched = settings.MetricsPort is not null;
        if (!isSent && !isFetched)
        {
            return false;
        }

        services.AddStoreGauges();
        services.AddOpenTelemetry().WithMetrics(metrics =>
        {
            metrics
                .ConfigureResource(resource => resource
                    .AddService("dbos", serviceInstanceId: settings.Policy.ServerId)
                    .AddEnvironmentVariableDetector())
                .AddMeter("Dbos.*", "System.Runtime");
            if (isSent)
            {
                metrics.AddOtlpExporter();
            }

            if (isFetched)
            {
                metrics.AddPrometheusExporter();
            }
        });
        return true;
    }
}
