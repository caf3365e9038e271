using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;
using Dbos.Testing;

namespace Dbos.Infrastructure.Tests.Redis;

/// <summary>What was published while the connection was away is not repeated: the watcher is told that it missed something.</summary>
public sealed class RedisReconnectTests(RedisEngine engine) : IClassFixture<RedisEngine>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task No_turn_is_lost_in_silence_by_a_cut_and_turns_are_told_again()
    {
        var watcher = new ToldWatcher();
        await using var proxy = new TcpProxy(engine.Server.Port);
        await using var dbos = await engine.Open(new OpenOptions { Watcher = watcher }, proxy.Address);
        await using var beside = await engine.OpenBeside(new OpenStore(
            dbos.Settings with { Address = engine.Server.Address }, dbos.Policy, (_, _) => throw new NotSupportedException()));
        watcher.TimesMissed.Should().Be(0);

        for (var cut = 1; cut <= 3; cut++)
        {
            proxy.CutNow();
            var turn = $"l{cut}";
            await Turn(turn);
            var missed = watcher.TimesMissed;
            await Eventually.True(
                () => watcher.Told.Contains($"{turn} due 1") || watcher.TimesMissed > missed, Patience, "the turn is told, or that something was missed");
        }

        var later = 0;
        await Eventually.True(
            async () =>
            {
                await Turn($"later {later++}");
                return watcher.Told.Any(told => told.StartsWith("later", StringComparison.Ordinal));
            },
            Patience,
            "turns are told again");

        Task Turn(string name) => beside.Port.Commit(
            new Commit(0, name, 0, "v"u8.ToArray()) { Lanes = [new(new Lane($"lane {name}", name, ["turns"]), 0, "x", 1)] }, default);
    }
}
