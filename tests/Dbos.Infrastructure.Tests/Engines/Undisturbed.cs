namespace Dbos.Infrastructure.Tests.Engines;

/// <summary>Tests of how soon something ends, and those that would hold up others: after all others, and one after the other.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Undisturbed : ICollectionFixture<ClusterEngine>
{
    public const string Name = "Undisturbed";
}
