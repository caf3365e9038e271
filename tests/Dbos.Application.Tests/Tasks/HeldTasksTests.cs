using Dbos.Domain.Tasks;

namespace Dbos.Application.Tests.Tasks;

/// <summary>What a taker holds, as far as it was told of ends.</summary>
public sealed class HeldTasksTests : IDisposable
{
    private readonly TaskSignals signals = new();
    private readonly TaskSignals.Seat seat;
    private readonly TaskSignals.Seat other;

    public HeldTasksTests() => (seat, other) = (signals.Sit(TaskFilter.Any), signals.Sit(TaskFilter.Any));

    [Fact]
    public async Task A_taker_waits_until_one_of_its_deliveries_has_ended()
    {
        Take(seat, "task-1", "task-2");
        Take(other, "task-3");
        var end = seat.WaitForEnd(atMostHeld: 1, default);

        signals.Ended(new("task-3", 1));
        signals.Ended(new("task-4", 1));
        end.IsCompleted.Should().BeFalse();

        signals.Ended(new("task-1", 1));
        await end.WaitAsync(TimeSpan.FromSeconds(10));
        seat.Held.Should().Equal(Delivered("task-2"));
        other.Held.Should().BeEmpty();
    }

    [Fact]
    public void Where_few_are_held_there_is_nothing_to_wait_for()
    {
        Take(seat, "task-1");

        seat.WaitForEnd(atMostHeld: 1, default).IsCompleted.Should().BeTrue();
    }

    [Fact]
    public void An_end_that_was_told_before_the_delivery_counts()
    {
        seat.BeginTaking();
        other.BeginTaking();
        signals.Ended(new("task-1", 1));
        other.Hold([]);
        seat.Hold(Delivered("task-1", "task-2"));

        seat.Held.Should().Equal(Delivered("task-2"));
    }

    [Fact]
    public void An_end_from_before_a_delivery_began_does_not()
    {
        signals.Ended(new("task-1", 1));
        seat.BeginTaking();
        signals.Ended(new("task-2", 1));
        seat.Hold([]);

        Take(seat, "task-1", "task-2");

        seat.Held.Should().Equal(Delivered("task-1", "task-2"));
    }

    [Fact]
    public void An_end_that_was_told_early_is_forgotten_when_no_take_of_then_runs_any_more()
    {
        seat.BeginTaking();
        signals.Ended(new("task-1", 1));
        signals.Ended(new("task-2", 1));
        other.BeginTaking();
        signals.Ended(new("task-1", 1));
        signals.Ended(new("task-3", 1));

        seat.Hold([]);
        signals.EarlyEndsKept.Should().Be(2);
        other.Hold(Delivered("task-1", "task-2", "task-3"));

        other.Held.Should().Equal(Delivered("task-2"));
        signals.EarlyEndsKept.Should().Be(0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_end_of_a_delivery_that_is_told_late_or_twice_leaves_the_next_delivery_of_its_task_alone(bool whileTaking)
    {
        Take(seat, "task-1");
        signals.Ended(new("task-1", 1));
        other.BeginTaking();
        if (whileTaking)
        {
            signals.Ended(new("task-1", 1));
        }

        other.Hold([new("task-1", 2)]);
        signals.Ended(new("task-1", 1));

        other.Held.Should().Equal(new TaskDelivery("task-1", 2));
    }

    [Fact]
    public void What_is_let_go_is_held_no_longer()
    {
        Take(seat, "task-1", "task-2");

        seat.LetGo(Delivered("task-1"));

        seat.Held.Should().Equal(Delivered("task-2"));
    }

    [Fact]
    public async Task A_taker_is_full_while_it_waits_for_an_end()
    {
        Take(seat, "task-1", "task-2");
        Take(other, "task-3");
        signals.Full.Should().BeEmpty();

        var end = seat.WaitForEnd(atMostHeld: 1, default);
        signals.Full.Should().Equal(seat);

        signals.Ended(new("task-1", 1));
        await end.WaitAsync(TimeSpan.FromSeconds(10));
        signals.Full.Should().BeEmpty();
    }

    [Fact]
    public async Task A_taker_that_goes_away_waits_no_longer()
    {
        Take(seat, "task-1");
        using var gone = new CancellationTokenSource();
        var end = seat.WaitForEnd(atMostHeld: 0, gone.Token);

        await gone.CancelAsync();

        await end.Awaiting(task => task).Should().ThrowAsync<OperationCanceledException>();
    }

    [Fact]
    public void A_delivery_to_a_taker_that_went_away_and_then_to_another_is_the_others()
    {
        Take(seat, "task-1");
        seat.Dispose();
        Take(other, "task-1");

        signals.Ended(new("task-1", 1));

        other.Held.Should().BeEmpty();
    }

    public void Dispose()
    {
        seat.Dispose();
        other.Dispose();
    }

    private static void Take(TaskSignals.Seat seat, params string[] taken)
    {
        seat.BeginTaking();
        seat.Hold(Delivered(taken));
    }

    private static IEnumerable<TaskDelivery> Delivered(params string[] taskIds) => taskIds.Select(id => new TaskDelivery(id, 1));
}
