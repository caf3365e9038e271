using Dbos.Application.Pipeline;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Dbos.Api.Hosting;

public static class Tracing
{
    /// <summary>
    /// On when there is somewhere to send traces to. What else the OTEL_ variables say of names, sampling, batches, limits and
    /// the exporter, OpenTelemetry reads itself, from the environment or appsettings.json.
    /// </summary>
    public static void AddTracing(this IServiceCollection services, IConfiguration configuration)
    {
        if (!IsOn(configuration))
        {
            return;
        }

        services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("dbos").AddEnvironmentVariableDetector())
            .WithTracing(tracing => tracing
                .AddSource(Spans.SourceName)
                .AddAspNetCoreInstrumentation(server => server.Filter = IsCallOfDbos)
                .AddOtlpExporter());
    }

    private static bool IsOn(IConfiguration configuration) =>
        configuration["OTEL_TRACES_EXPORTER"] != "none"
        && !string.IsNullOrEmpty(configuration["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] ?? configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]);

    /// <summary>Health is asked for all the time, and tells nothing of what became of a request.</summary>
    private static bool IsCallOfDbos(HttpContext http) => http.Request.Path.StartsWithSegments("/dbos.DBOS");
}
