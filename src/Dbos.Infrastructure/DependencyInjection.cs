using Dbos.Application.Agents;
using Dbos.Application.Events;
using Dbos.Application.ModuleStates;
using Dbos.Application.Pipeline;
using Dbos.Application.Results;
using Dbos.Application.Tasks;
using Dbos.Domain.Agents;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.ModuleStates;
using Dbos.Infrastructure.Redis.Agents;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Redis.Events;
using Dbos.Infrastructure.Redis.Layout;
using Dbos.Infrastructure.Redis.ModuleStates;
using Dbos.Infrastructure.Redis.Results;
using Dbos.Infrastructure.Redis.Tasks;
using Dbos.Infrastructure.Results;
using Dbos.Infrastructure.Sqlite.Agents;
using Dbos.Infrastructure.Sqlite.Events;
using Dbos.Infrastructure.Sqlite.ModuleStates;
using Dbos.Infrastructure.Sqlite.Results;
using Dbos.Infrastructure.Sqlite.Tasks;
using Dbos.Infrastructure.Sqlite;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tasks;
using Dbos.Infrastructure.Transfer;
using Dbos.Infrastructure.Watching;
using Microsoft.Extensions.DependencyInjection;

namespace Dbos.Infrastructure;

public static class DependencyInjection
{
    /// <summary>The repositories over the one store, whose clock is everybody's clock.</summary>
    public static IServiceCollection AddInfrastructure(this IServiceCollection services, StoreSettings settings)
    {
        services.AddSingleton(settings);
        if (settings.IsEmbedded)
        {
            services.AddSqlite();
        }
        else
        {
            services.AddRedis();
        }

        services.AddSingleton<StorePermits>();
        services.AddSingleton<Heartbeats>();
        services.AddSingleton<IStoreWatcher, TaskWatcher>();
        services.AddHostedService<StoreUpkeep>();
        services.AddSingleton<EventHeads>();
        services.AddSingleton<IEventLog, EventLog>();
        services.AddSingleton<ISubjectTransfer<ExportedEvent>, EventTransfer>();
        services.AddSingleton<StoreContents>();
        services.AddSingleton<IStoreTransfer, StoreTransfer>();
        return services;
    }

    /// <summary>What <see cref="StoreGauges"/> measures.</summary>
    public static IServiceCollection AddStoreGauges(this IServiceCollection services) => services.AddHostedService<StoreGauges>();

    private static void AddSqlite(this IServiceCollection services)
    {
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<SqliteDatabase>();
        services.AddSingleton<SqliteProbe>();
        services.AddSingleton<IStoreProbe>(provider => provider.GetRequiredService<SqliteProbe>());
        services.AddSingleton<IStoreConnection>(provider => provider.GetRequiredService<SqliteProbe>());
        services.AddSingleton<IStoreLayout>(provider => provider.GetRequiredService<SqliteProbe>());

        services.AddSingleton<IEventStreams, SqliteEventStreams>();
        services.AddSingleton<SqliteAgentRepository>();
        services.AddSingleton<IAgentRepository>(provider => provider.GetRequiredService<SqliteAgentRepository>());
        services.AddSingleton<ISubjectTransfer<Agent>>(provider => provider.GetRequiredService<SqliteAgentRepository>());
        services.AddSingleton<IModuleStateRepository, SqliteModuleStateRepository>();
        services.AddSingleton<ISubjectTransfer<StoredModuleState>, SqliteModuleStateTransfer>();
        services.AddSingleton<SqliteResultRepository>();
        services.AddSingleton<IResultRepository>(provider => provider.GetRequiredService<SqliteResultRepository>());
        services.AddSingleton<ISubjectTransfer<TransferredResult>>(provider => provider.GetRequiredService<SqliteResultRepository>());
        services.AddSingleton<ITaskRepository, SqliteTaskRepository>();
        services.AddSingleton<ITaskAudit, SqliteTaskAudit>();
        services.AddSingleton<ISubjectTransfer<MeasurementTask>, SqliteTaskTransfer>();
        services.AddSingleton<SqliteMarks>();
        services.AddSingleton<IIdempotencyMarks>(provider => provider.GetRequiredService<SqliteMarks>());
        services.AddSingleton<ISubjectTransfer<StoredMark>>(provider => provider.GetRequiredService<SqliteMarks>());
        services.AddSingleton<ISubjectTransfer<StoredCounter>>(provider => provider.GetRequiredService<SqliteMarks>());
    }

    private static void AddRedis(this IServiceCollection services)
    {
        services.AddSingleton(new RedisClock(TimeProvider.System));
        services.AddSingleton<TimeProvider>(provider => provider.GetRequiredService<RedisClock>());
        services.AddSingleton<RedisConnection>();
        services.AddSingleton<Replication>();
        services.AddSingleton(provider => new Resilience(
            provider.GetRequiredService<StorePermits>(), provider.GetRequiredService<RedisConnection>().ServerOf));
        services.AddSingleton<RedisPartitions>();
        services.AddSingleton<TaskChannels>();
        services.AddSingleton<IStoreProbe, RedisProbe>();
        services.AddSingleton<IStoreConnection>(provider => provider.GetRequiredService<RedisConnection>());
        services.AddSingleton<IStoreLayout, RedisLayout>();

        services.AddSingleton<IEventStreams, RedisEventStreams>();
        services.AddSingleton<RedisAgentRepository>();
        services.AddSingleton<IAgentRepository>(provider => provider.GetRequiredService<RedisAgentRepository>());
        services.AddSingleton<ISubjectTransfer<Agent>>(provider => provider.GetRequiredService<RedisAgentRepository>());
        services.AddSingleton<IModuleStateRepository, RedisModuleStateRepository>();
        services.AddSingleton<ISubjectTransfer<StoredModuleState>, RedisModuleStateTransfer>();
        services.AddSingleton<RedisResultRepository>();
        services.AddSingleton<IResultRepository>(provider => provider.GetRequiredService<RedisResultRepository>());
        services.AddSingleton<ISubjectTransfer<TransferredResult>>(provider => provider.GetRequiredService<RedisResultRepository>());
        services.AddSingleton<ITaskRepository, RedisTaskRepository>();
        services.AddSingleton<ITaskAudit, RedisTaskAudit>();
        services.AddSingleton<ISubjectTransfer<MeasurementTask>, RedisTaskTransfer>();
        services.AddSingleton<RedisMarks>();
        services.AddSingleton<IIdempotencyMarks>(provider => provider.GetRequiredService<RedisMarks>());
        services.AddSingleton<ISubjectTransfer<StoredMark>>(provider => provider.GetRequiredService<RedisMarks>());
        services.AddSingleton<ISubjectTransfer<StoredCounter>>(provider => provider.GetRequiredService<RedisMarks>());
    }
}
