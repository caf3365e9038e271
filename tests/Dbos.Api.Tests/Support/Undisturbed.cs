namespace Dbos.Api.Tests.Support;

/// <summary>Tests of how soon something happens, or how often: after all others, and one after the other.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Undisturbed : ICollectionFixture<SharedRedis>, ICollectionFixture<SharedCluster>, ICollectionFixture<SharedEmbedded>
{
    public const string Name = "Undisturbed";
}
