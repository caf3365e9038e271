using Dbos.Application;
using Dbos.Infrastructure.Store;
using Dbos.Testing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NSubstitute;

namespace Dbos.Infrastructure.Tests.Store;

public sealed class StoreUpkeepTests
{
    private static readonly Turn SomeTurn = new("a:x", 7);

    private readonly IStoreProbe store = Substitute.For<IStoreProbe>();
    private readonly IStoreWatcher watcher = Substitute.For<IStoreWatcher>();
    private readonly IStoreConnection connection = Substitute.For<IStoreConnection>();
    private readonly Heartbeats heartbeats = new(TimeProvider.System);
    private readonly List<Watch> watched = [];
    private readonly KeptLog log = new();
    private Func<Pulse, Pulse> answer = pulse => pulse;

    [Fact]
    public async Task Turns_that_came_while_the_store_was_away_are_looked_for_when_it_is_back()
    {
        await Probe(failing: number => number == 2, until: 3);

        watched[1].From.Should().BeGreaterThan(watched[0].From);
        watched[2].From.Should().BeLessThanOrEqualTo(watched[0].UpTo, "nothing was seen since");
        watcher.Received(watched.Count - 1).Due(SomeTurn);
        heartbeats.IsBeating.Should().BeTrue();
    }

    [Fact]
    public async Task An_outage_is_one_line_at_its_start_and_one_at_its_end_whatever_the_engine()
    {
        connection.Name.Returns("the store of the lab");

        await Probe(failing: number => number is 2 or 3, until: 5);

        log.Lines.Should().SatisfyRespectively(
            away => away.Should().Be("Warning: the store of the lab is away, or takes no writes (it hangs): calls are answered UNAVAILABLE, and DBOS keeps trying"),
            back => back.Should().Be("Information: the store of the lab is back: a write succeeded"));
    }

    [Fact]
    public async Task Where_a_part_of_it_is_away_the_rest_is_served_and_what_came_due_meanwhile_is_looked_for_when_it_is_back()
    {
        connection.Name.Returns("the store of the lab");
        List<int?> partitionsAway = [];
        answer = pulse =>
        {
            partitionsAway.Add(heartbeats.PartitionsAway);
            return watched.Count is 2 or 3 ? pulse with { Away = new([3, 5], new StoreUnavailableException("a shard is gone")) } : pulse;
        };

        await Probe(failing: _ => false, until: 6);

        partitionsAway[..6].Should().Equal(null, 0, 2, 2, 0, 0);
        watcher.Received(watched.Count).Due(SomeTurn);
        watched.Select(watch => watch.From == 0).Take(6).Should().Equal(false, false, false, false, true, false);
        log.Lines.Should().SatisfyRespectively(
            away => away.Should().Be("Warning: the store of the lab is away in part, or takes no writes there (a shard is gone): calls for what it keeps there are answered UNAVAILABLE, and DBOS keeps trying"),
            back => back.Should().Be("Information: the store of the lab is back: a write succeeded"));
    }

    [Fact]
    public async Task A_store_that_is_away_at_the_start_is_told_once_and_opened_when_it_is_there()
    {
        var trials = 0;
        connection.Open(default).ReturnsForAnyArgs(_ => ++trials < 3 ? Task.FromException(new StoreUnavailableException("nobody listens")) : Task.CompletedTask);
        connection.IsOpen.Returns(_ => trials == 3);

        await Probe(failing: _ => false, until: 1);

        trials.Should().Be(3);
        log.Lines.Select(line => line.Split(':')[0]).Should().Equal("Warning", "Information");
    }

    [Fact]
    public async Task A_store_that_was_closed_is_opened_before_it_is_probed_again()
    {
        var isOpen = true;
        connection.IsOpen.Returns(_ => isOpen);
        connection.Open(default).ReturnsForAnyArgs(_ =>
        {
            isOpen = true;
            return Task.CompletedTask;
        });
        answer = pulse =>
        {
            isOpen.Should().BeTrue();
            isOpen = watched.Count != 2;
            return pulse;
        };

        await Probe(failing: _ => false, until: 4);

        await connection.ReceivedWithAnyArgs(1).Open(default);
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
        var isOver = false;
        watcher.When(it => it.Missed()).Do(_ => isOver = heartbeats.IsBeating && log.Lines.Count == 2);
        await Probe(failing: number => number == 2, until: 3);

        watcher.Received(1).Missed();
        isOver.Should().BeTrue("the end of the outage is told first");
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
                    ? Task.FromException<Pulse>(new StoreUnavailableException("away", new TimeoutException("it hangs")))
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
            log);
        await upkeep.StartAsync(default);
        await Eventually.True(() => watched.Count >= until, TimeSpan.FromSeconds(10), "the store is probed");
        await upkeep.StopAsync(default);
    }

    private sealed class KeptLog : ILogger<StoreUpkeep>
    {
        public List<string> Lines { get; } = [];

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Add($"{logLevel}: {formatter(state, exception)}");

        public bool IsEnabled(LogLevel logLevel) => true;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;
    }
}
