using Xunit.Abstractions;

namespace Dbos.Testing;

/// <summary>
/// Collections whose classes share something, before classes that stand alone: one after the other they take longest, and the
/// others fill what is left of the processors.
/// </summary>
public sealed class SharedFirst : ITestCollectionOrderer
{
    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) =>
        testCollections.OrderBy(collection => collection.CollectionDefinition is null);
}
