using NetArchTest.Rules;

namespace Dbos.Architecture.Tests.Layers;

/// <summary>A rule that finds nothing in the product could also be one that finds nothing ever.</summary>
public sealed class PlantedViolationTests
{
    private const string Root = "Dbos.Architecture.Tests.Planted.";

    [Fact]
    public void A_package_in_the_domain() =>
        LayerRules.KnowsNoPackage(Planted("Package")).Should().BeEquivalentTo(
            Root + "Package.TakesAPackage", Root + "Package.ListsAPackage", Root + "Package.CallsAPackage", Root + "Package.IsOfAPackage");

    [Fact]
    public void A_store_in_the_application() =>
        LayerRules.KnowsNeitherStoreNorEdge(Planted("Store")).Should().BeEquivalentTo(
            Root + "Store.AsksRedis", Root + "Store.OpensSqlite", Root + "Store.KnowsInfrastructure", Root + "Store.Redis.IsTheEngine");

    [Fact]
    public void The_edge_in_the_application() => LayerRules.KnowsNeitherStoreNorEdge(Planted("Edge")).Should().HaveCount(3);

    [Fact]
    public void The_edge_in_the_infrastructure() =>
        LayerRules.KnowsNoEdge(Planted("Edge")).Should().BeEquivalentTo(
            Root + "Edge.SpeaksGrpc", Root + "Edge.SpeaksWire", Root + "Edge.KnowsTheApi");

    [Fact]
    public void A_store_outside_of_its_engine() =>
        LayerRules.KnowsAStoreOnlyAsItsEngine(Planted("Store")).Should().BeEquivalentTo(
            Root + "Store.AsksRedis", Root + "Store.OpensSqlite");

    [Fact]
    public void An_engine_that_knows_the_other() =>
        LayerRules.KnowsNoOtherEngine(Planted("Engines"), "Redis", "Sqlite").Should().Equal(Root + "Engines.Redis.BorrowsSqlite");

    [Fact]
    public void A_store_in_a_service() =>
        LayerRules.TurnsMessagesOnly(Planted("Store")).Should().BeEquivalentTo(
            Root + "Store.AsksRedis", Root + "Store.OpensSqlite", Root + "Store.KnowsInfrastructure", Root + "Store.Redis.IsTheEngine");

    [Fact]
    public void A_handler_that_is_open_apart_or_sends_another_request() =>
        LayerRules.KeepsAHandlerInItsRequest(Planted("Slices")).Should().BeEquivalentTo(
            Root + "Slices.Unsealed+Handler", Root + "Slices.ApartHandler", Root + "Slices.Sending+Handler");

    [Fact]
    public void A_repository_behind_no_interface_of_the_application() =>
        LayerRules.HidesARepositoryBehindAnInterface(Planted("Repositories")).Should().Equal(Root + "Repositories.OpenRepository");

    [Fact]
    public void A_reading_of_the_system_clock() =>
        LayerRules.ReadsNoSystemClock(Planted("Clocks")).Should().BeEquivalentTo(
            Root + "Clocks.ReadsAtOnce", Root + "Clocks.ReadsLater", Root + "Clocks.ReadsInALambda");

    private static PredicateList Planted(string what) =>
        Types.InAssembly(typeof(PlantedViolationTests).Assembly).That().ResideInNamespace(Root + what);
}
