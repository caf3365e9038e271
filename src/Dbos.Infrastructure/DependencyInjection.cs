using Dbos.Application.Agents;
using Dbos.Application.Events;
using Dbos.Application.ModuleStates;
using Dbos.Application.Pipeline;
using Dbos.Application.Results;
using Dbos.Application.Tasks;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Agents;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.ModuleStates;
using Dbos.Infrastructure.Redis;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Results;
using Dbos.Infrastructure.Sqlite;
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
            services.AddSingleton<SqliteStore>();
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
            services.AddSingleton<RedisStore>();
            services.AddSingleton<IStoreConnection>(provider => provider.GetRequiredService<RedisConnection>());
            services.AddSingleton<IStoreLayout, RedisLayout>();
            services.AddSingleton<IStore>(provider => new ResilientStore(provider.GetRequiredService<RedisStore>(), provider.GetRequiredService<Resilience>()));
        }

        services.AddSingleton<Heartbeats>();
        services.AddSingleton<IStoreWatcher, TaskWatcher>();
        services.AddHostedService<StoreUpkeep>();
        services.AddSingleton<EventWriter>();
        services.AddSingleton<EventLogs>();
        services.AddSingleton<EventHeads>();
        services.AddSingleton<IIdempotencyMarks, IdempotencyMarks>();
        services.AddSingleton<IEventLog, EventLog>();
        services.AddSingleton<IAgentRepository, AgentRepository>();
        services.AddSingleton<IModuleStateRepository, ModuleStateRepository>();
        services.AddSingleton<IResultRepository, ResultRepository>();
        services.AddSingleton<StoreTransfer>();
        return services;
    }

    /// <summary>What <see cref="StoreGauges"/> tells.</summary>
    public static IServiceCollection AddStoreGauges(this IServiceCollection services) => services.AddHostedService<StoreGauges>();
}
