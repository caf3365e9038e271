namespace Dbos.Architecture.Tests.Layers;

public sealed class LayerTests
{
    [Fact]
    public void The_domain_knows_no_package() =>
        LayerRules.KnowsNoPackage(Product.TypesOf(Product.Domain)).Should().BeEmpty();

    [Fact]
    public void The_application_knows_neither_a_store_nor_the_edge() =>
        LayerRules.KnowsNeitherStoreNorEdge(Product.TypesOf(Product.Application)).Should().BeEmpty();

    [Fact]
    public void The_infrastructure_knows_nothing_of_the_edge() =>
        LayerRules.KnowsNoEdge(Product.TypesOf(Product.Domain, Product.Application, Product.Infrastructure)).Should().BeEmpty();

    [Fact]
    public void Only_the_engines_know_their_stores() =>
        LayerRules.KnowsAStoreOnlyAsItsEngine(Product.TypesOf(Product.Infrastructure)).Should().BeEmpty();

    [Fact]
    public void No_engine_knows_the_other()
    {
        LayerRules.KnowsNoOtherEngine(Product.TypesOf(Product.Infrastructure), "Redis", "Sqlite").Should().BeEmpty();
        LayerRules.KnowsNoOtherEngine(Product.TypesOf(Product.Infrastructure), "Sqlite", "Redis").Should().BeEmpty();
    }

    [Fact]
    public void The_services_turn_messages_and_touch_no_store() => LayerRules.TurnsMessagesOnly(Product.Services).Should().BeEmpty();

    [Fact]
    public void Every_handler_is_sealed_in_its_request() =>
        LayerRules.KeepsAHandlerInItsRequest(Product.TypesOf(Product.Application)).Should().BeEmpty();

    [Fact]
    public void Every_repository_is_behind_an_interface_of_the_application() =>
        LayerRules.HidesARepositoryBehindAnInterface(Product.TypesOf(Product.Infrastructure)).Should().BeEmpty();

    [Fact]
    public void Nothing_reads_the_system_clock() =>
        LayerRules.ReadsNoSystemClock(Product.TypesOf(Product.Domain, Product.Application, Product.Infrastructure, Product.Api)).Should().BeEmpty();

    [Fact]
    public void The_rules_find_what_they_are_about()
    {
        LayerRules.HandlersOf(Product.TypesOf(Product.Application)).Should().HaveCount(30);
        LayerRules.RepositoriesOf(Product.TypesOf(Product.Infrastructure)).Should().HaveCount(8);
        Product.Services.GetTypes().Should().NotBeEmpty();
    }
}
