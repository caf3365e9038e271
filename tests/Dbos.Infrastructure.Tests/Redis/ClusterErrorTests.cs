using System.Diagnostics;
using System.Globalization;
using Dbos.Application;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;
using Dbos.Testing;

namespace Dbos.Infrastructure.Tests.Redis;

/// <summary>What a node of a cluster says when a slot is not its own, not yet or not any more.</summary>
[Collection(Undisturbed.Name)]
public sealed class ClusterErrorTests(ClusterEngine engine)
{
    private static readonly TimeSpan LongestCall = TimeSpan.FromSeconds(3);

    /// <summary>Long enough to be refused more than once.</summary>
    private static readonly TimeSpan Underway = TimeSpan.FromMilliseconds(150);

    [Theory]
    [InlineData("MOVED", 0)]
    [InlineData("MOVED", 1)]
    [InlineData("ASK", 0)]
    [InlineData("ASK", 1)]
    [InlineData("TRYAGAIN", 0)]
    [InlineData("TRYAGAIN", 1)]
    [InlineData("CLUSTERDOWN", 0)]
    [InlineData("CLUSTERDOWN", 1)]
    public async Task What_passes_is_waited_out_what_stays_is_an_outage_and_the_write_is_done_once(string error, int replicas)
    {
        var options = new OpenOptions { Settings = settings => settings with { Partitions = 1, Replicas = replicas } };
        await using var dbos = await engine.Open(options);
        await using var beside = await engine.OpenBeside(dbos);
        await dbos.Send(Given.Result("before"));
        await beside.Send(Given.Result("before"));
        var slot = (await engine.Cluster.SlotsOf($"{{{dbos.Settings.KeyPrefix}:*")).Single();
        var owner = await engine.Cluster.MasterOf(slot);

        var end = await Provoke(error, slot, owner);
        (await Told(owner, dbos.Settings.KeyPrefix)).Should().StartWith(error);
        if (error != "MOVED")
        {
            var since = Stopwatch.StartNew();
            var refused = () => beside.Send(Given.Result("refused"));
            await refused.Should().ThrowAsync<StoreUnavailableException>();
            since.Elapsed.Should().BeLessThan(LongestCall);
        }

        var sending = dbos.Send(Given.Result());
        await Task.Delay(Underway);
        await end();

        (await sending).Value.Duplicate.Should().BeFalse();
        var results = (await dbos.Lines()).Where(line => line.StartsWith("other result:", StringComparison.Ordinal));
        results.Should().HaveCount(2, "of before and of now");
    }

    /// <returns>What ends it.</returns>
    private async Task<Func<Task>> Provoke(string error, int slot, RedisServer owner)
    {
        var number = slot.ToString(CultureInfo.InvariantCulture);
        var next = await engine.Cluster.NextAfter(slot);
        switch (error)
        {
            case "MOVED":
                await engine.Cluster.MoveSlot(slot, next);
                return () => Task.CompletedTask;
            case "CLUSTERDOWN":
                await owner.Ask("cluster", "delslots", number);
                return () => owner.Ask("cluster", "addslots", number);
            default:
                var move = await engine.Cluster.BeginMove(slot, next);
                while (error == "ASK" && await move.MoveKeys())
                {
                }

                return async () =>
                {
                    while (await move.MoveKeys())
                    {
                    }

                    await move.End();
                };
        }
    }

    /// <summary>What the node answers to who asks for two keys, one of which is there as long as nothing was moved.</summary>
    private static Task<string> Told(RedisServer node, string prefix) => node.Ask("exists", $"{{{prefix}:0}}:layout", $"{{{prefix}:0}}:none");
}
