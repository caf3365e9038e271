using Dbos.Domain.Tasks;

namespace Dbos.Application.Tests.Tasks;

/// <summary>While the store, or a part of it, is away.</summary>
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
