using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Dbos.Api.Hosting;

public static class Tracing
{
    /// <summary>On when OTEL_EXPORTER_OTLP_ENDPOINT is set; continues the caller's W3C trace.</summary>
    public static void AddTracing(this IServiceCollection services, IConfiguration configuration)
    {
        if (string.IsNullOrEmpty(configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]))
        {
            return;
        }

        services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("dbos").AddEnvironmentVariableDetector())
            .WithTracing(tracing => tracing.AddAspNetCoreInstrumentation().AddOtlpExporter());
    }
}
