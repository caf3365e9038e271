using Dbos.Application;
using MediatR;
using NetArchTest.Rules;

namespace Dbos.Architecture.Tests.Layers;

/// <summary>What the layers may know and how their parts are shaped. Each rule answers the names of the types that break it.</summary>
internal static class LayerRules
{
    private static readonly string[] StoresOfSqlite = ["Microsoft.Data.Sqlite", "SQLitePCL"];
    private static readonly string[] Stores = ["StackExchange", .. StoresOfSqlite];
    private static readonly string[] Edge = ["Grpc", "Google.Protobuf", "Microsoft.AspNetCore", "Dbos.Api", "Dbos.Wire"];

    public static IEnumerable<string> KnowsNoPackage(PredicateList domain) =>
        Breaking(domain.Should().MeetCustomRule(new OnlySystemAnd("Dbos.Domain")));

    public static IEnumerable<string> KnowsNeitherStoreNorEdge(PredicateList application) =>
        Breaking(application.ShouldNot().HaveDependencyOnAny([.. Stores, .. Edge, "Dbos.Infrastructure"]));

    public static IEnumerable<string> KnowsNoEdge(PredicateList infrastructure) =>
        Breaking(infrastructure.ShouldNot().HaveDependencyOnAny(Edge));

    /// <summary>What the engines share knows neither of their stores.</summary>
    public static IEnumerable<string> KnowsAStoreOnlyAsItsEngine(PredicateList infrastructure) =>
        Breaking(infrastructure
            .And().DoNotResideInNamespaceMatching(@"\.(Redis|Sqlite)(\.|$)")
            .ShouldNot().HaveDependencyOnAny(Stores));

    /// <summary>Each engine in its own terms: none is built on the other.</summary>
    public static IEnumerable<string> KnowsNoOtherEngine(PredicateList infrastructure, string engine, string other) =>
        Breaking(infrastructure
            .And().ResideInNamespaceMatching($@"\.{engine}(\.|$)")
            .ShouldNot().HaveDependencyOnAny([.. other == "Redis" ? ["StackExchange"] : StoresOfSqlite, $"Dbos.Infrastructure.{other}"]));

    public static IEnumerable<string> TurnsMessagesOnly(PredicateList services) =>
        Breaking(services.ShouldNot().HaveDependencyOnAny([.. Stores, "Dbos.Infrastructure"]));

    /// <summary>A slice is one file: the request with its handler in it. A handler sends no other request.</summary>
    public static IEnumerable<string> KeepsAHandlerInItsRequest(PredicateList application) =>
        HandlersOf(application).Where(handler => !handler.IsSealed || handler.DeclaringType != RequestOf(handler))
            .Select(handler => handler.FullName!)
            .Union(Breaking(application.And().HaveName("Handler").ShouldNot().HaveDependencyOnAny(
                typeof(IMediator).FullName, "MediatR.ISender")));

    public static IEnumerable<string> HidesARepositoryBehindAnInterface(PredicateList infrastructure) =>
        RepositoriesOf(infrastructure)
            .Where(repository => !repository.GetInterfaces().Any(port => port.Assembly == typeof(DbosPolicy).Assembly))
            .Select(repository => repository.FullName!);

    /// <summary>The clock is a TimeProvider: the store's own where the store has one.</summary>
    public static IEnumerable<string> ReadsNoSystemClock(PredicateList types) => Breaking(types.Should().MeetCustomRule(new NoSystemClock()));

    public static IEnumerable<Type> HandlersOf(PredicateList types) =>
        types.GetTypes().Where(type => type is { IsClass: true, IsAbstract: false } && RequestOf(type) is not null);

    public static IEnumerable<Type> RepositoriesOf(PredicateList types) => types.And().AreClasses().And().HaveNameEndingWith("Repository").GetTypes();

    private static Type? RequestOf(Type handler) => handler.GetInterfaces()
        .FirstOrDefault(port => port.IsGenericType && port.GetGenericTypeDefinition() == typeof(IRequestHandler<,>))
        ?.GetGenericArguments()[0];

    /// <summary>By their names in .NET, which has a plus where NetArchTest has a slash.</summary>
    private static IEnumerable<string> Breaking(ConditionList rule) =>
        (rule.GetResult().FailingTypeNames ?? []).Select(name => name.Replace('/', '+'));
}
