using Dbos.Application;
using Dbos.Infrastructure.Store;
using Dbos.Testing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using NSubstitute;

namespace Dbos.Infrastructure.Tests.Store;

public sealed class StoreUpkeepTests
{
    private static readonly Turn SomeTurn = new("a:x", 7);

    private readonly IStore store = Substitute.For<IStore>();
    private readonly IStoreWatcher watcher = Substitute.For<IStoreWatcher>();
    private readonly IStoreConnection connection = Substitute.For<IStoreConnection>();
    private readonly Heartbeats heartbeats = new(TimeProvider.System);
    private readonly List<Watch> watched = [];
    private Func<Pulse, Pulse> answer = pulse => pulse;

    [Fact]
    public async Task Turns_that_came_while_the_store_was_away_are_looked_for_when_it_is_back()
    {
        await Probe(failing: number => number == 2, until: 3);

        watched[1].From.Should().BeGreaterThan(watched[0].From);
        watched[2].From.Should().BeLessThanOrEqualTo(watched[0].UpTo, "nothing was seen since");
        watcher.Received(watched.Count - 1).Due(SomeTurn);
        connection.Received(1).Lost(Arg.Any<string>());
        heartbeats.IsBeating.Should().BeTrue();
    }

    [Fact]
    public async Task Each_probe_looks_further_than_the_next_begins()
    {
        await Probe(failing: _ => false, until: 2);

        watched[1].From.Should().BeGreaterThanOrEqualTo(watched[0].From).And.BeLessThanOrEqualTo(watched[0].UpTo);
        watcher.Received(watched.Count).Due(SomeTurn);
    }

    [Fact]
    public async Task Where_too_many_were_due_to_be_told_everybody_looks_and_the_next_probe_goes_on_from_there()
    {
        answer = pulse => pulse with { CutAt = watched.Count == 1 ? 7 : Now(watched[^1]) + 100 };
        await Probe(failing: _ => false, until: 3);

        watcher.Received(1).Due(new Turn(string.Empty, 7));
        watched[1].From.Should().Be(Now(watched[0]), "whoever looked, looked for what was due by then");
        watched[2].From.Should().Be(Math.Min(Now(watched[1]) + 100, Now(watched[2])));

        static long Now(Watch watch) => watch.UpTo - (long)Turn.Horizon.TotalMilliseconds;
    }

    [Fact]
    public async Task That_something_was_missed_is_told_when_the_store_is_open_again()
    {
        answer = pulse => pulse with { MayHaveMissed = watched.Count == 3 };
        await Probe(failing: number => number == 2, until: 3);

        Received.InOrder(() =>
        {
            connection.Found();
            connection.Lost(Arg.Any<string>());
            connection.Found();
            watcher.Missed();
        });
        watcher.Received(1).Missed();
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
                    : Task.FromResult(answer(new Pulse([.. Heartbeats.Deadlines.Select(_ => (long?)null)], [SomeTurn])));
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
