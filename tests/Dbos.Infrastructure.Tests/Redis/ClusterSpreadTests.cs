using Dbos.Application.Pipeline;
using Dbos.Infrastructure.Redis;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;
using Dbos.Testing;
using Xunit.Abstractions;

namespace Dbos.Infrastructure.Tests.Redis;

/// <summary>How partitions lie in the slots of a cluster.</summary>
[Collection(ClusterEngine.Name)]
public sealed class ClusterSpreadTests(ClusterEngine engine, ITestOutputHelper output)
{
    [Theory]
    [InlineData("dbos", 1)]
    [InlineData("dbos", 16)]
    [InlineData("dbos", 4_096)]
    [InlineData("измерения", 16)]
    public void Partitions_share_the_slots_evenly_and_are_read_from_their_keys(string prefix, int partitions)
    {
        var keys = new RedisKeys(prefix, partitions);
        var all = Enumerable.Range(0, partitions).Select(partition => new StoreKey(partition, "a:b")).ToArray();

        all.Select(key => engine.Operator.HashSlot(keys.Of(key)) * partitions / RedisCluster.Slots).Should().OnlyHaveUniqueItems();
        all.Select(key => keys.Read(keys.Of(key)!)).Should().Equal(all.Select(key => (StoreKey?)key));
    }

    [Fact]
    public async Task Each_of_three_masters_holds_at_least_a_fifth_of_the_keys()
    {
        const int Records = 600;
        await using var dbos = await engine.Open(new OpenOptions { Settings = settings => settings with { KeyPrefix = "dbos" } });
        await dbos.SendAll(Enumerable.Range(0, Records).SelectMany(number => new IWrite[]
        {
            Given.Heartbeat($"agent-{number}"),
            Given.State($"request-{number}", agentId: $"agent-{number % 50}"),
            Given.Result($"result-{number}", $"agent-{number}"),
            Given.Task($"task-{number}", agentId: $"agent-{number % 50}"),
        }));

        var keys = await Task.WhenAll((await engine.Cluster.ServingNodes()).Select(Size));

        output.WriteLine($"keys of each master: {string.Join(", ", keys)}");
        keys.Should().HaveCount(3);
        keys.Min().Should().BeGreaterThanOrEqualTo(keys.Sum() / 5);
    }

    /// <summary>As DBSIZE, but for other tests' keys.</summary>
    private static async Task<int> Size(RedisServer node) => (await node.Ask("keys", "{dbos:*")).Split('\n').Length;
}
