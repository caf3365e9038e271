using Dbos.Application;
using Dbos.Infrastructure.Store;
using Dbos.Testing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using NSubstitute;

namespace Dbos.Infrastructure.Tests.Store;

public sealed class StoreUpkeepTests
{
    private static readonly Turn Turn = new("a:x", 7);

    private readonly IStore store = Substitute.For<IStore>();
    private readonly IStoreWatcher watcher = Substitute.For<IStoreWatcher>();
    private readonly IStoreConnection connection = Substitute.For<IStoreConnection>();
    private readonly Heartbeats heartbeats = new(TimeProvider.System);
    private readonly List<Watch> watched = [];

    [Fact]
    public async Task Turns_that_came_while_the_store_was_away_are_looked_for_when_it_is_back()
    {
        await Probe(failing: number => number == 2, until: 3);

        watched[1].From.Should().BeGreaterThan(watched[0].From);
        watched[2].From.Should().BeLessThanOrEqualTo(watched[0].UpTo, "nothing was seen since");
        watcher.Received(watched.Count - 1).Due(Turn);
        connection.Received(1).Lost(Arg.Any<string>());
        heartbeats.IsBeating.Should().BeTrue();
    }

    [Fact]
    public async Task Each_probe_looks_further_than_the_next_begins()
    {
        await Probe(failing: _ => false, until: 2);

        watched[1].From.Should().BeGreaterThanOrEqualTo(watched[0].From).And.BeLessThanOrEqualTo(watched[0].UpTo);
        watcher.Received(watched.Count).Due(Turn);
    }

    /// <param name="failing">Told the number of the probe, from 1 on.</param>
    private async Task Probe(Func<int, bool> failing, int until)
    {
        store.Probe(null!, default).ReturnsForAnyArgs(call =>
        {
            lock (watched)
            {
                watched.Add(call.Arg<Watch>());
                return failing(watched.Count)
                    ? Task.FromException<Pulse>(new StoreUnavailableException("away"))
                    : Task.FromResult(new Pulse([.. Heartbeats.Deadlines.Select(_ => (long?)null)], [Turn]));
            }
        });
        using var upkeep = new StoreUpkeep(
            store,
            connection,
            watcher,
            heartbeats,
            TimeProvider.System,
            Substitute.For<IHostApplicationLifetime>(),
            NullLogger<StoreUpkeep>.Instance);
        await upkeep.StartAsync(default);
        await Eventually.True(() => watched.Count >= until, TimeSpan.FromSeconds(10), "the store is probed");
        await upkeep.StopAsync(default);
    }
}
