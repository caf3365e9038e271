using Dbos.Application.Agents;
using Dbos.Application.Events;
using Dbos.Application.ModuleStates;
using Dbos.Application.Pipeline;
using Dbos.Application.Results;
using Dbos.Application.Tasks;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.ModuleStates;
using Dbos.Infrastructure.Redis;
using Dbos.Infrastructure.Redis.Agents;
using Dbos.Infrastructure.Redis.Tasks;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Redis.Events;
using Dbos.Infrastructure.Redis.ModuleStates;
using Dbos.Infrastructure.Redis.Results;
using Dbos.Infrastructure.Sqlite.Agents;
using Dbos.Infrastructure.Sqlite.Events;
using Dbos.Infrastructure.Sqlite.ModuleStates;
using Dbos.Infrastructure.Sqlite;
using Dbos.Infrastructure.Sqlite.Results;
using Dbos.Infrastructure.Sqlite.Tasks;
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
            services.AddSingleton(TimeProvider.System);
            services.AddSingleton(new Resilience(static _ => null));
            services.AddSingleton<SqliteDatabase>();
            services.AddSingleton<IEventStreams, SqliteEventStreams>();
            services.AddSingleton<SqliteStore>();
            services.AddSingleton<IAgentRepository, SqliteAgentRepository>();
            services.AddSingleton<IModuleStateRepository, SqliteModuleStateRepository>();
            services.AddSingleton<ISubjectTransfer<StoredModuleState>, SqliteModuleStateTransfer>();
            services.AddSingleton<IResultRepository, SqliteResultRepository>();
            services.AddSingleton<ITaskRepository, SqliteTaskRepository>();
            services.AddSingleton<ISubjectTransfer<MeasurementTask>, SqliteTaskTransfer>();
            services.AddSingleton<IStoreConnection>(provider => provider.GetRequiredService<SqliteStore>());
            services.AddSingleton<IStoreLayout>(provider => provider.GetRequiredService<SqliteStore>());
            services.AddSingleton<IStore>(provider => new ResilientStore(provider.GetRequiredService<SqliteStore>(), provider.GetRequiredService<Resilience>()));
        }
        else
        {
            services.AddSingleton<RedisClock>();
            services.AddSingleton<TimeProvider>(provider => provider.GetRequiredService<RedisClock>());
            services.AddSingleton<RedisConnection>();
            services.AddSingleton<Replication>();
            services.AddSingleton(provider => new Resilience(provider.GetRequiredService<RedisStore>().ServerOf));
            services.AddSingleton<RedisPartitions>();
            services.AddSingleton<IEventStreams, RedisEventStreams>();
            services.AddSingleton<IAgentRepository, RedisAgentRepository>();
            services.AddSingleton<IResultRepository, RedisResultRepository>();
            services.AddSingleton<RedisStore>();
            services.AddSingleton<TaskChannels>();
            services.AddSingleton<ITaskRepository, RedisTaskRepository>();
            services.AddSingleton<ITaskAudit, RedisTaskAudit>();
            services.AddSingleton<ISubjectTransfer<MeasurementTask>, RedisTaskTransfer>();
            services.AddSingleton<IModuleStateRepository, RedisModuleStateRepository>();
            services.AddSingleton<ISubjectTransfer<StoredModuleState>, RedisModuleStateTransfer>();
            services.AddSingleton<IStoreConnection>(provider => provider.GetRequiredService<RedisConnection>());
            services.AddSingleton<IStoreLayout, RedisLayout>();
            services.AddSingleton<IStore>(provider => new ResilientStore(provider.GetRequiredService<RedisStore>(), provider.GetRequiredService<Resilience>()));
        }

        services.AddSingleton<Heartbeats>();
        services.AddSingleton<IStoreWatcher, TaskWatcher>();
        services.AddHostedService<StoreUpkeep>();
        services.AddSingleton<EventWriter>();
        services.AddSingleton<EventHeads>();
        services.AddSingleton<IIdempotencyMarks, IdempotencyMarks>();
        services.AddSingleton<IEventLog, EventLog>();
        services.AddSingleton<ISubjectTransfer<ExportedEvent>, EventTransfer>();
        services.AddSingleton<StoreTransfer>();
        return services;
    }

    /// <summary>What <see cref="StoreGauges"/> tells.</summary>
    public static IServiceCollection AddStoreGauges(this IServiceCollection services) => services.AddHostedService<StoreGauges>();
}
