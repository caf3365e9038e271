using Dbos.Application.Pipeline;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Dbos.Api.Hosting;

public static class Tracing
{
    /// <summary>
    /// On when there is somewhere to send traces to. What else the OTEL_ variables say, as of sampling, batches, limits and the
    /// exporter, OpenTelemetry reads itself.
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
                .AddAspNetCoreInstrumentation()
                .AddOtlpExporter());
    }

    private static bool IsOn(IConfiguration configuration) =>
        !string.IsNullOrEmpty(configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]);
}
