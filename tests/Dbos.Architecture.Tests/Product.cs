using System.Reflection;
using Dbos.Api.Services;
using Dbos.Application;
using Dbos.Domain.Answers;
using Dbos.Infrastructure.Store;
using NetArchTest.Rules;

namespace Dbos.Architecture.Tests;

/// <summary>The product's own types, layer by layer. What compilers add lies outside of its namespaces.</summary>
internal static class Product
{
    public static readonly Assembly Domain = typeof(Refusal).Assembly;
    public static readonly Assembly Application = typeof(DbosPolicy).Assembly;
    public static readonly Assembly Infrastructure = typeof(StoreSettings).Assembly;
    public static readonly Assembly Api = typeof(DbosService).Assembly;

    public static PredicateList TypesOf(params Assembly[] layers) => Types.InAssemblies(layers).That().ResideInNamespace("Dbos");

    public static PredicateList Services => Types.InAssembly(Api).That().ResideInNamespace(typeof(DbosService).Namespace);
}
