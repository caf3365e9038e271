using Microsoft.AspNetCore.Diagnostics.HealthChecks;

namespace Dbos.Api.Hosting;

/// <summary>HTTP/1.1 on a port of its own, for Prometheus and orchestrators: metrics, liveness and readiness, and nothing else.</summary>
public static class MetricsPort
{
    /// <summary>To be called before routing, which knows of gRPC alone.</summary>
    public static void UseMetricsPort(this IApplicationBuilder app, int? port)
    {
        if (port is null)
        {
            return;
        }

        app.MapWhen(http => http.Connection.LocalPort == port, http =>
        {
            http.UseOpenTelemetryPrometheusScrapingEndpoint("/metrics");
            http.UseHealthChecks("/healthz/live", new HealthCheckOptions { Predicate = check => !check.Tags.Contains(Health.Ready) });
            http.UseHealthChecks("/healthz/ready", new HealthCheckOptions { Predicate = check => check.Tags.Contains(Health.Ready) });
        });
    }
}
