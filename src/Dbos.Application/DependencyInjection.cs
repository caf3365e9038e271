using System.Reflection;
using Dbos.Application.Pipeline;
using FluentValidation;
using MediatR;
using Microsoft.Extensions.DependencyInjection;

namespace Dbos.Application;

public static class DependencyInjection
{
    /// <summary>
    /// Handlers, validators and the pipeline, outermost behaviour first. Only what holds something of its call is scoped, as a scope
    /// looks its services up under a lock.
    /// </summary>
    public static IServiceCollection AddApplication(this IServiceCollection services, DbosPolicy policy)
    {
        services.AddSingleton(policy);
        services.AddScoped<CallContext>();
        services.AddScoped<CommitContext>();
        services.AddTransient<Idempotency>();
        services.AddTransient<Refusals>();
        services.AddTransient(typeof(BatchWriter<>));
        services.AddTransient<Tasks.AckWriter>();

        services.AddTransient<ServiceFactory>(provider => provider.GetRequiredService);
        services.AddTransient<IMediator, Mediator>();
        services.AddSingleton(typeof(IPipelineBehavior<,>), typeof(TraceBehaviour<,>));
        services.AddTransient(typeof(IPipelineBehavior<,>), typeof(AuditBehaviour<,>));
        services.AddTransient(typeof(IPipelineBehavior<,>), typeof(ValidationBehaviour<,>));
        services.AddTransient(typeof(IPipelineBehavior<,>), typeof(IdempotencyBehaviour<,>));

        services.AddEvery(typeof(IRequestHandler<,>), ServiceLifetime.Transient);
        services.AddEvery(typeof(IValidator<>), ServiceLifetime.Singleton);
        services.AddSingleton<Tasks.TaskSignals>();
        services.AddSingleton<Tasks.TaskGiveBack>();
        services.AddSingleton<ISweep, Agents.SilenceSweep>();
        services.AddSingleton<ISweep, Tasks.LeaseSweep>();
        services.AddSingleton<ISweep, Tasks.RetentionSweep>();
        services.AddSingleton<ISweep, Tasks.FullStreamSweep>();
        return services;
    }

    /// <summary>Every implementation for a request. A validator of a part of a request is created by the request's validator.</summary>
    private static void AddEvery(this IServiceCollection services, Type openInterface, ServiceLifetime lifetime)
    {
        var found =
            from type in Assembly.GetExecutingAssembly().GetTypes()
            where type is { IsAbstract: false, IsGenericTypeDefinition: false }
            from implemented in type.GetInterfaces()
            where implemented.IsGenericType && implemented.GetGenericTypeDefinition() == openInterface
            where implemented.GenericTypeArguments[0].IsAssignableTo(typeof(IDbosRequest))
            select new ServiceDescriptor(implemented, type, lifetime);
        foreach (var service in found)
        {
            services.Add(service);
        }
    }
}
