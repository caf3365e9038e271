using System.Text;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;
using Dbos.Testing;

namespace Dbos.Infrastructure.Tests.Redis;

/// <summary>What was published while nobody heard is not repeated: the next probe tells that something was missed.</summary>
public sealed class RedisReconnectTests(RedisEngine engine) : IClassFixture<RedisEngine>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly ToldWatcher watcher = new();

    /// <summary>Probes that told that something may have been missed.</summary>
    private int missed;

    [Fact]
    public async Task No_turn_is_lost_in_silence_by_a_cut_and_turns_are_told_again()
    {
        await using var proxy = new TcpProxy(engine.Server.Port);
        await using var dbos = await engine.Open(new OpenOptions { Watcher = watcher }, proxy.Address);
        await using var beside = await engine.OpenBeside(new OpenStore(
            dbos.Settings with { Address = engine.Server.Address }, dbos.Policy, (_, _) => throw new NotSupportedException()));
        await Eventually.True(() => HearsAll(dbos), Patience, "the first subscription is in force");

        for (var cut = 1; cut <= 3; cut++)
        {
            proxy.CutNow();
            var before = missed;
            var turn = await Turn($"l{cut}");
            await Eventually.True(
                async () => watcher.Told.Contains(turn) || (await Probed(dbos) && missed > before),
                Patience,
                "the turn is told, or that something was missed");
        }

        await Eventually.True(() => HearsAll(dbos), Patience, "nothing is missed any more");
        var later = await Turn("later");
        await Eventually.True(() => watcher.Told.Contains(later), Patience, "turns are told again");

        async Task<string> Turn(string name)
        {
            (await beside.Send(Given.Task(name, agentId: name))).Value.Duplicate.Should().BeFalse();
            return $"{name}:ping due {Given.LongAgo}000";
        }
    }

    [Fact]
    public async Task Whoever_hears_nothing_on_a_connection_that_seems_to_live_is_told_so_by_every_probe()
    {
        await using var proxy = new TcpProxy(engine.Server.Port);
        proxy.CutAt(CutPoint.Silent, Encoding.UTF8.GetBytes(":due\r\n"));
        await using var dbos = await engine.Open(new OpenOptions { Watcher = watcher }, proxy.Address);
        for (var probes = 1; probes <= 4; probes++)
        {
            (await Probed(dbos)).Should().BeTrue();
            missed.Should().Be(probes);
        }

        proxy.CutNow();

        await Eventually.True(() => HearsAll(dbos), Patience, "it hears again");
    }

    /// <summary>Two probes, far enough apart for what the first publishes to arrive, and the second has missed nothing.</summary>
    private async Task<bool> HearsAll(OpenStore dbos)
    {
        await Probed(dbos);
        await Task.Delay(TimeSpan.FromMilliseconds(100));
        var before = missed;
        return await Probed(dbos) && missed == before;
    }

    private Task<bool> Probed(OpenStore dbos) => Outage.IsOver(async () =>
    {
        var pulse = await dbos.Probe();
        missed += pulse.MayHaveMissed ? 1 : 0;
    });
}
