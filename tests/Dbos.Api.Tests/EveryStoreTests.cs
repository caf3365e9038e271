using Dbos.Api.Tests.Support;

namespace Dbos.Api.Tests;

/// <summary>What is promised of one store is promised of all.</summary>
public sealed class EveryStoreTests
{
    public static TheoryData<Type> Suites => new(
        typeof(EveryStoreTests).Assembly.GetTypes().Where(type => type.IsAbstract && type.GetMethods().Any(
            method => method.IsDefined(typeof(FactAttribute), inherit: true))));

    [Theory]
    [MemberData(nameof(Suites))]
    public void A_suite_runs_on_each_kind_of_store(Type suite) =>
        suite.Assembly.GetTypes().Where(type => type.IsSubclassOf(suite)).Select(type => type.Name[type.Name.LastIndexOf("On", StringComparison.Ordinal)..])
            .Should().BeEquivalentTo(Enum.GetNames<StoreKind>().Select(kind => $"On{kind}"), "of {0}", suite.Name);
}
