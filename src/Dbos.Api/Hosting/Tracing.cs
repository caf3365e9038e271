using Dbos.Application.Pipeline;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Dbos.Api.Hosting;

public static class Tracing
{
    /// <summary>Of the span that ASP.NET Core makes of each request.</summary>
    private const string Server = "Microsoft.AspNetCore";

    /// <summary>
    /// On when there is somewhere to send traces to. What else the OTEL_ variables say of names, sampling, batches, limits and
    /// the exporter, OpenTelemetry reads itself, from the environment or appsettings.json.
    /// </summary>
    /// <returns>Whether anything is traced.</returns>
    public static bool AddTracing(this IServiceCollection services, IConfiguration configuration)
    {
        if (!IsOn(configuration))
        {
            return false;
        }

        services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("dbos").AddEnvironmentVariableDetector())
            .WithTracing(tracing => tracing
                .AddSource(Server, Spans.SourceName)
                .AddOtlpExporter());
        return true;
    }

    private static bool IsOn(IConfiguration configuration) =>
        configuration["OTEL_TRACES_EXPORTER"] != "none"
        && !string.IsNullOrEmpty(configuration["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] ?? configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]);
}
