using Dbos.Application;
using Dbos.Infrastructure.Redis;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;

namespace Dbos.Infrastructure.Tests.Redis;

[Collection(ClusterEngine.Name)]
public sealed class ClusterScanTests(ClusterEngine engine)
{
    [Fact]
    public async Task A_scan_that_slots_are_moved_under_is_refused_and_a_new_one_finds_every_name_once()
    {
        await using var dbos = await engine.Open(new OpenOptions());
        foreach (var partition in dbos.Port.AllPartitions())
        {
            await dbos.Port.Commit([new Commit(partition, "record:1", 0, "v"u8.ToArray())], CancellationToken.None);
        }

        var begun = await dbos.Port.Names(["record:"], null, CancellationToken.None);
        begun.Cursor.Should().NotBeNull("each master has a slice of its own");
        var slot = await engine.Cluster.SlotOf(new RedisKeys(dbos.Settings.KeyPrefix, dbos.Port.Partitions).Of(0, "record:1")!);
        var home = await engine.Cluster.MasterOf(slot);
        await engine.Cluster.MoveSlot(slot, await engine.Cluster.NextAfter(slot));

        var goOn = () => dbos.Port.Names(["record:"], begun.Cursor, CancellationToken.None);
        await goOn.Should().ThrowAsync<StoreUnavailableException>();
        (await AllNames(dbos)).Should().BeEquivalentTo(dbos.Port.AllPartitions().Select(partition => new StoreKey(partition, "record:1")));

        await engine.Cluster.MoveSlot(slot, home);
    }

    private static async Task<List<StoreKey>> AllNames(OpenStore dbos)
    {
        var names = new List<StoreKey>();
        string? cursor = null;
        do
        {
            var slice = await dbos.Port.Names(["record:"], cursor, CancellationToken.None);
            names.AddRange(slice.Names);
            cursor = slice.Cursor;
        }
        while (cursor is not null);
        return names;
    }
}
