using Dbos.Infrastructure.Store;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Dbos.Api.Hosting;

/// <summary>
/// gRPC health: the service (and "" for the whole server) is SERVING only while a write to the store
/// succeeds, in a part of it at least; "liveness" as long as the process answers.
/// </summary>
public static class Health
{
    /// <summary>The tag of the checks that say whether DBOS serves; those without it say whether it lives.</summary>
    public const string Ready = "ready";

    public static void AddHealth(this IServiceCollection services)
    {
        services
            .AddGrpcHealthChecks(options =>
            {
                options.UseHealthChecksCache = false;
                options.Services.Clear();
                options.Services.Map(string.Empty, check => check.Tags.Contains(Ready));
                options.Services.Map("dbos.DBOS", check => check.Tags.Contains(Ready));
                options.Services.Map("liveness", check => !check.Tags.Contains(Ready));
            })
            .AddCheck<StoreWrites>("store", tags: [Ready])
            .AddCheck("process", () => HealthCheckResult.Healthy());
        services.Configure<HealthCheckPublisherOptions>(options =>
        {
            options.Delay = TimeSpan.Zero;
            options.Period = TimeSpan.FromSeconds(1);
        });
    }

    private sealed class StoreWrites(Heartbeats heartbeats) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(
            HealthCheckContext context, CancellationToken cancellationToken = default) =>
            Task.FromResult(heartbeats.IsBeating ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy());
    }
}
