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
    public async Task After_a_cut_the_watcher_is_told_that_it_missed_something_and_hears_again()
    {
        var watcher = new ToldWatcher();
        await using var proxy = new TcpProxy(engine.Server.Port);
        await using var dbos = await engine.Open(new OpenOptions { Watcher = watcher }, proxy.Address);
        await using var beside = await engine.OpenBeside(new OpenStore(
            dbos.Settings with { Address = engine.Server.Address }, dbos.Policy, (_, _) => throw new NotSupportedException()));
        watcher.TimesMissed.Should().Be(0);

        for (var cut = 1; cut <= 3; cut++)
        {
            var missed = watcher.TimesMissed;
            proxy.CutNow();
            await Eventually.True(() => watcher.TimesMissed > missed, Patience, "what was missed is told");

            await beside.Port.Commit(
                new Commit(0, $"record {cut}", 0, "v"u8.ToArray()) { Lanes = [new(new Lane($"lane {cut}", $"l{cut}", ["turns"]), 0, "x", 1)] }, default);
            await Eventually.True(() => watcher.Told.Contains($"l{cut} due 1"), Patience, "turns are told again");
        }
    }
}
