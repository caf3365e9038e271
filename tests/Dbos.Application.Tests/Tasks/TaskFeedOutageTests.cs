using Dbos.Domain.Tasks;

namespace Dbos.Application.Tests.Tasks;

/// <summary>While the store, or a part of it, is away, and where something may not have been told.</summary>
public sealed class TaskFeedOutageTests : FedTakers
{
    public static TheoryData<Exception> Outages => [new StoreUnavailableException("away"), new StoreBusyException()];

    [Theory]
    [MemberData(nameof(Outages))]
    public async Task An_outage_pauses_deliveries_and_ends_nothing(Exception outage)
    {
        var asked = 0;
        BeforeTake = () => Interlocked.Increment(ref asked) <= 2 ? Task.FromException(outage) : Task.CompletedTask;
        AreDue(1);
        await using var feed = await RunningFeed.Start(Dbos, new StreamDueTasks(TaskFilter.Any, 1, VisibilityTimeoutSeconds: 36_000));
        SpinWait.SpinUntil(() => asked > 0, TimeSpan.FromSeconds(10)).Should().BeTrue();

        Dbos.Clock.Advance(TimeSpan.FromMilliseconds(999));
        asked.Should().Be(1);

        (await InTime(feed.Next())).Should().Equal("task-1");
        asked.Should().Be(3);
    }

    [Fact]
    public Task What_is_held_is_looked_up_where_an_end_may_not_have_been_told() =>
        ShouldMakeRoom(Numbered(2) with { Status = MeasurementTaskStatus.Completed });

    [Fact]
    public Task What_another_taker_has_by_now_is_held_no_longer() =>
        ShouldMakeRoom(Numbered(2) with { LeaseToken = Samples.Inflight.LeaseToken + 1 });

    [Fact]
    public Task What_is_not_there_any_more_is_held_no_longer() => ShouldMakeRoom(secondTask: null);

    [Theory]
    [MemberData(nameof(Outages))]
    public async Task A_look_up_that_fails_is_done_again(Exception outage)
    {
        AreDue(1, 2);
        await using var feed = await RunningFeed.Start(Dbos, new StreamDueTasks(TaskFilter.Any, 1, VisibilityTimeoutSeconds: 36_000));
        await feed.Next();
        var asked = 0;
        Dbos.Tasks.FindBare("task-1", Arg.Any<CancellationToken>()).Returns(_ => Interlocked.Increment(ref asked) <= 2
            ? Task.FromException<MeasurementTask?>(outage)
            : Task.FromResult<MeasurementTask?>(null));

        Signals.Missed();

        (await InTime(feed.Next())).Should().Equal("task-2");
        asked.Should().Be(3);
    }

    [Theory]
    [MemberData(nameof(Outages))]
    public async Task What_cannot_be_looked_up_holds_up_no_others(Exception outage)
    {
        AreDue(1, 2, 3);
        await using var feed = await RunningFeed.Start(Dbos, TwoAtATime);
        await feed.Next();
        Dbos.Tasks.FindBare("task-1", Arg.Any<CancellationToken>()).Returns(Task.FromException<MeasurementTask?>(outage));
        Dbos.Tasks.FindBare("task-2", Arg.Any<CancellationToken>()).Returns((MeasurementTask?)null);

        Signals.Missed();

        (await feed.Next()).Should().Equal("task-3");
    }

    [Fact]
    public async Task What_is_missed_while_it_is_looked_up_is_looked_up_again()
    {
        AreDue(1, 2);
        await using var feed = await RunningFeed.Start(Dbos, TwoAtATime with { MaxInflight = 1 });
        await feed.Next();
        var asked = 0;
        Dbos.Tasks.FindBare("task-1", Arg.Any<CancellationToken>()).Returns(_ =>
        {
            if (Interlocked.Increment(ref asked) > 1)
            {
                return Task.FromResult<MeasurementTask?>(null);
            }

            Signals.Missed();
            return Task.FromResult<MeasurementTask?>(Numbered(1));
        });

        Signals.Missed();

        (await feed.Next()).Should().Equal("task-2");
    }

    [Fact]
    public async Task Few_are_looked_up_at_a_time()
    {
        AreDue([.. Enumerable.Range(1, 60)]);
        await using var feed = await RunningFeed.Start(Dbos, TwoAtATime with { MaxInflight = 60 });
        await feed.Next();
        var (atATime, most) = (0, 0);
        Dbos.Tasks.FindBare(default!, default).ReturnsForAnyArgs(async _ =>
        {
            most = Math.Max(most, Interlocked.Increment(ref atATime));
            await Task.Yield();
            Interlocked.Decrement(ref atATime);
            return null;
        });
        AreDue(61);

        Signals.Missed();

        (await feed.Next()).Should().Equal("task-61");
        most.Should().BeInRange(1, 20);
    }

    [Fact]
    public async Task The_call_of_a_taker_that_the_store_did_not_answer_is_the_next_ones_when_it_goes_away()
    {
        var one = new StreamDueTasks(TaskFilter.Any, 1, 0);
        var first = await RunningFeed.Start(Dbos, one);
        RunningFeed.ShouldWaitForWork(Dbos);
        var asked = new TaskCompletionSource();
        BeforeTake = () =>
        {
            asked.TrySetResult();
            return Task.FromException(new StoreUnavailableException("away"));
        };
        Signals.Due("agent-1", "ping");
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(10));
        BeforeTake = () => Task.CompletedTask;
        await using var second = await RunningFeed.Start(Dbos, one);
        RunningFeed.ShouldWaitForWork(Dbos);
        AreDue(1);

        await first.HangUp();

        (await second.Next()).Should().Equal("task-1");
    }

    /// <summary>The second task is what it is by now, and nobody told of it.</summary>
    private async Task ShouldMakeRoom(MeasurementTask? secondTask)
    {
        AreDue(1, 2, 3, 4);
        await using var feed = await RunningFeed.Start(Dbos, TwoAtATime);
        await feed.Next();
        Dbos.Tasks.FindBare("task-1", Arg.Any<CancellationToken>()).Returns(Numbered(1));
        Dbos.Tasks.FindBare("task-2", Arg.Any<CancellationToken>()).Returns(secondTask);

        Signals.Missed();
        (await feed.Next()).Should().Equal("task-3");

        Signals.Ended(new("task-1", Samples.Inflight.LeaseToken));
        (await feed.Next()).Should().Equal("task-4");
        Orders.Select(order => order.Limit).Should().Equal(2, 1, 1);
    }

    /// <summary>While the clock goes on.</summary>
    private async Task<T> InTime<T>(Task<T> awaited)
    {
        SpinWait.SpinUntil(
            () =>
            {
                Dbos.Clock.Advance(TimeSpan.FromSeconds(1));
                return awaited.IsCompleted;
            },
            TimeSpan.FromSeconds(10)).Should().BeTrue();
        return await awaited;
    }
}
