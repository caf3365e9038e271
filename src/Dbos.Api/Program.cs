using Dbos.Api.Hosting;
using Dbos.Api.Services;
using Dbos.Application;
using Dbos.Infrastructure;
using Dbos.Infrastructure.Sqlite;
using Dbos.Infrastructure.Store;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging.Console;

var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
{
    Args = Commands.AreIn(args) ? [] : args,
    ContentRootPath = AppContext.BaseDirectory,
});

try
{
    var settings = Settings.Read(builder.Configuration, builder.Environment.IsDevelopment());
    builder.Services.AddApplication(settings.Policy);
    builder.Services.AddInfrastructure(settings.Store);
    if (Commands.AreIn(args))
    {
        await using var idle = builder.Build();
        return await Commands.Run(args, idle.Services);
    }

    // The slim builder's own choice of a formatter stands above the configured one otherwise.
    builder.Services.Configure<ConsoleLoggerOptions>(builder.Configuration.GetSection("Logging:Console"));
    builder.Services.AddHostedService<SweepService>();
    var isWatched = builder.Services.AddTelemetry(builder.Configuration, settings);
    builder.Services.AddHealth();
    builder.Services.AddOverloadLimits(settings.MaxCallsInFlight);
    builder.Services.AddGrpc(options => options.MaxReceiveMessageSize = settings.MostRequestBytes);
    if (builder.Environment.IsDevelopment())
    {
        builder.Services.AddGrpcReflection();
    }

    builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(10));
    builder.WebHost.ConfigureKestrel(kestrel =>
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = null;

        // A worker's streams may share its connection with all its other calls; and one that vanished is noticed.
        kestrel.Limits.Http2.MaxStreamsPerConnection = 1_000;
        kestrel.Limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(30);
        kestrel.Limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(20);
        kestrel.ListenAnyIP(settings.Port, listen => listen.Protocols = HttpProtocols.Http2);
        if (settings.MetricsPort is { } metricsPort)
        {
            kestrel.ListenAnyIP(metricsPort, listen => listen.Protocols = HttpProtocols.Http1);
        }
    });

    settings.CheckPorts();
    await using var app = builder.Build();
    if (isWatched)
    {
        app.UseCallTelemetry();
    }

    app.UseMetricsPort(settings.MetricsPort);
    app.UseRouting();
    app.UseInternalForUnreadableRequests();
    app.UseRateLimiter();
    app.MapGrpcService<DbosService>();
    app.MapGrpcHealthChecksService();
    if (app.Environment.IsDevelopment())
    {
        app.MapGrpcReflectionService();
    }

    await app.OpenEmbeddedStore(settings.Store);
    app.Logger.LogServing(settings.Port, settings.Store.IsEmbedded ? Path.GetFullPath(settings.Store.DataDirectory) : "Redis");
    if (settings.MetricsPort is { } servesMetrics)
    {
        app.Logger.LogServingMetrics(servesMetrics);
    }

    await app.RunAsync();
    return Environment.ExitCode;
}
catch (Exception error) when (error is SettingException or DataDirectoryInUseException or LayoutMismatchException or IOException or UnauthorizedAccessException)
{
    await Console.Error.WriteLineAsync($"DBOS cannot start: {error.Message}");
    return 1;
}
