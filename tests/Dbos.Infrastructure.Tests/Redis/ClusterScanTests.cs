using Dbos.Application;
using Dbos.Application.Pipeline;
using Dbos.Application.Tasks;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;
using Dbos.Infrastructure.Transfer;

namespace Dbos.Infrastructure.Tests.Redis;

[Collection(ClusterEngine.Name)]
public sealed class ClusterScanTests(ClusterEngine engine)
{
    private const int Tasks = 200;

    [Fact]
    public async Task A_scan_that_slots_are_moved_under_is_refused_and_a_new_one_finds_every_task_once()
    {
        await using var dbos = await engine.Open(new OpenOptions());
        await dbos.SendAll(Enumerable.Range(0, Tasks).Select(number => Given.Task($"t{number}")));
        var transfer = dbos.Get<ISubjectTransfer<MeasurementTask>>();

        await using var begun = transfer.Export().GetAsyncEnumerator();
        (await begun.MoveNextAsync()).Should().BeTrue();
        var slot = await engine.Cluster.SlotOf(RedisKeys.OfFirst(dbos.Settings.KeyPrefix).Of(0, "any")!);
        var home = await engine.Cluster.MasterOf(slot);
        await engine.Cluster.MoveSlot(slot, await engine.Cluster.NextAfter(slot));

        var goOn = async () =>
        {
            while (await begun.MoveNextAsync())
            {
                // Each master has a slice of its own.
            }
        };
        await goOn.Should().ThrowAsync<StoreUnavailableException>();
        var ids = await transfer.Export().Select(task => task.Id).ToListAsync();
        ids.Should().BeEquivalentTo(Enumerable.Range(0, Tasks).Select(number => $"t{number}"));
        (await Checked(dbos)).Should().BeGreaterThanOrEqualTo(Tasks);

        await engine.Cluster.MoveSlot(slot, home);
    }

    private static async Task<int> Checked(OpenStore dbos)
    {
        var looked = 0;
        await foreach (var slice in dbos.Get<ITaskAudit>().Run(repair: false, new Origin("test", "trace")))
        {
            slice.Inconsistencies.Should().BeEmpty();
            looked += slice.Checked;
        }

        return looked;
    }
}
