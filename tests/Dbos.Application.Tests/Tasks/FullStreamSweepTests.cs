using Dbos.Domain.Tasks;
using Microsoft.Extensions.DependencyInjection;

namespace Dbos.Application.Tests.Tasks;

/// <summary>Deliveries whose ends were not published make room all the same.</summary>
public sealed class FullStreamSweepTests : FedTakers
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly HashSet<string> ended = [];
    private readonly List<int> lookedUp = [];

    public FullStreamSweepTests() => Dbos.Tasks.FindEnded(default!, default).ReturnsForAnyArgs(call =>
    {
        var deliveries = call.Arg<IReadOnlyList<TaskDelivery>>();
        lookedUp.Add(deliveries.Count);
        return [.. deliveries.Where(delivery => ended.Contains(delivery.TaskId))];
    });

    [Fact]
    public async Task What_ended_makes_room_and_what_did_not_end_stays()
    {
        AreDue(1, 2, 3, 4);
        await using var feed = await RunningFeed.Start(Dbos, TwoAtATime);
        await feed.Next();
        ShouldBecomeFull(streams: 1);
        ended.Add("task-2");

        (await Sweep()).Should().Be(0, "the next check is due in a second");

        (await feed.Next()).Should().Equal("task-3");
        ShouldBecomeFull(streams: 1);
        await Sweep();
        Signals.Ended(new("task-1", Samples.Inflight.LeaseToken));
        (await feed.Next()).Should().Equal("task-4");
        Orders.Select(order => order.Limit).Should().Equal(2, 1, 1);
    }

    [Fact]
    public async Task A_stream_that_has_room_is_not_looked_up()
    {
        AreDue(1);
        await using var feed = await RunningFeed.Start(Dbos, TwoAtATime);
        await feed.Next();
        RunningFeed.ShouldWaitForWork(Dbos);

        await Sweep();

        lookedUp.Should().BeEmpty();
    }

    [Fact]
    public async Task Many_are_looked_up_in_slices_that_are_spread_over_a_second()
    {
        AreDue([.. Enumerable.Range(1, 2_500)]);
        await using var feed = await RunningFeed.Start(Dbos, TwoAtATime with { MaxInflight = 1_000 });
        await using var second = await RunningFeed.Start(Dbos, TwoAtATime with { MaxInflight = 1_000 });
        await using var third = await RunningFeed.Start(Dbos, TwoAtATime with { MaxInflight = 500 });
        ShouldBecomeFull(streams: 3);

        var sweep = Sweep();

        lookedUp.Should().Equal(1_000);
        Dbos.Clock.Advance(TimeSpan.FromMilliseconds(300));
        lookedUp.Should().Equal(1_000);
        SpinWait.SpinUntil(
            () =>
            {
                Dbos.Clock.Advance(TimeSpan.FromMilliseconds(50));
                return sweep.IsCompleted;
            },
            Patience).Should().BeTrue();
        lookedUp.Should().Equal(1_000, 1_000, 500);
    }

    private Task<int> Sweep() => Dbos.Services.GetServices<ISweep>().OfType<FullStreamSweep>().Single().Run(default);

    private void ShouldBecomeFull(int streams) => SpinWait.SpinUntil(() => Signals.Full.Count == streams, Patience).Should().BeTrue();
}
