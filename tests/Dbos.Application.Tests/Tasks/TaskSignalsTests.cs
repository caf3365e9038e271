using Dbos.Domain.Tasks;

namespace Dbos.Application.Tests.Tasks;

/// <summary>The line of waiting takers: who is called when.</summary>
public sealed class TaskSignalsTests
{
    private static readonly TaskFilter Own = new("agent-1", "ping");

    private readonly TaskSignals signals = new();

    [Fact]
    public async Task One_taker_is_called_at_a_time_first_come_first()
    {
        using var first = signals.Sit(Own);
        using var second = signals.Sit(Own);
        var (firstCall, secondCall) = (Wait(first), Wait(second));

        signals.Due("agent-1", "ping");
        await firstCall;
        secondCall.IsCompleted.Should().BeFalse();
        signals.HasWaiting.Should().BeTrue();

        signals.Due("agent-1", "ping");
        await secondCall;
        signals.HasWaiting.Should().BeFalse();
    }

    [Theory]
    [InlineData("agent-1", "ping", true)]
    [InlineData("agent-1", "", true)]
    [InlineData("", "ping", true)]
    [InlineData("", "", true)]
    [InlineData("agent-2", "ping", false)]
    [InlineData("agent-2", "", false)]
    [InlineData("agent-1", "traceroute", false)]
    [InlineData("", "traceroute", false)]
    public async Task A_taker_is_called_for_what_its_filter_matches(string agentId, string moduleName, bool isCalled)
    {
        using var seat = signals.Sit(new TaskFilter(agentId, moduleName));
        var call = Wait(seat);

        signals.Due("agent-1", "ping");

        signals.HasWaiting.Should().Be(!isCalled);
        signals.MayBeDue(new TaskFilter(agentId, moduleName));
        await call;
    }

    [Fact]
    public async Task One_taker_of_each_line_is_called()
    {
        using var own = signals.Sit(Own);
        using var any = signals.Sit(TaskFilter.Any);
        var (ownCall, anyCall) = (Wait(own), Wait(any));

        signals.Due("agent-1", "ping");

        await Task.WhenAll(ownCall, anyCall);
    }

    [Fact]
    public async Task Where_any_task_may_be_due_one_taker_of_each_line_is_called()
    {
        using var own = signals.Sit(Own);
        using var next = signals.Sit(Own);
        using var any = signals.Sit(TaskFilter.Any);
        var (ownCall, nextCall, anyCall) = (Wait(own), Wait(next), Wait(any));

        signals.AnyDue();

        await Task.WhenAll(ownCall, anyCall);
        nextCall.IsCompleted.Should().BeFalse();
    }

    [Fact]
    public async Task Whoever_took_something_calls_the_next_and_whoever_found_nothing_does_not()
    {
        using var first = signals.Sit(Own);
        using var second = signals.Sit(Own);
        var call = Wait(second);

        Take(first);
        signals.HasWaiting.Should().BeTrue();

        Take(first, "task-1");
        await call;
    }

    [Fact]
    public async Task A_call_while_nobody_waits_is_for_whoever_waits_next_and_for_nobody_else()
    {
        using var first = signals.Sit(Own);
        using var second = signals.Sit(Own);

        signals.Due("agent-1", "ping");
        await Wait(first);

        _ = Wait(second);
        signals.HasWaiting.Should().BeTrue();
    }

    [Fact]
    public async Task A_taker_that_goes_away_while_it_waits_is_not_called()
    {
        var first = signals.Sit(Own);
        using var second = signals.Sit(Own);
        using var gone = new CancellationTokenSource();
        var left = first.WaitForWork(gone.Token);
        var call = Wait(second);

        await gone.CancelAsync();
        await left.Awaiting(task => task).Should().ThrowAsync<OperationCanceledException>();
        first.Dispose();

        signals.Due("agent-1", "ping");
        await call;
    }

    [Fact]
    public async Task A_taker_that_goes_away_when_it_is_called_passes_the_call_on()
    {
        var first = signals.Sit(Own);
        using var second = signals.Sit(Own);
        using var gone = new CancellationTokenSource();
        var left = first.WaitForWork(gone.Token);
        var call = Wait(second);

        // Both at the same instant: whether the wait ends in a call or is cancelled, nothing is taken.
        signals.Due("agent-1", "ping");
        await gone.CancelAsync();
        await left.ContinueWith(_ => { }, TaskScheduler.Default);
        first.Dispose();

        await call;
    }

    [Fact]
    public async Task A_call_that_was_kept_is_passed_on_too()
    {
        var first = signals.Sit(Own);
        using var second = signals.Sit(Own);
        signals.Due("agent-1", "ping");
        await Wait(first);
        var call = Wait(second);

        first.Dispose();

        await call;
    }

    [Fact]
    public void A_call_that_was_answered_is_not_passed_on()
    {
        var first = signals.Sit(Own);
        using var second = signals.Sit(Own);
        signals.Due("agent-1", "ping");
        Wait(first).IsCompleted.Should().BeTrue();
        _ = Wait(second);

        Take(first);
        first.Dispose();

        signals.HasWaiting.Should().BeTrue();
    }

    [Fact]
    public async Task A_call_that_the_store_did_not_answer_is_passed_on_by_whoever_goes_away()
    {
        var first = signals.Sit(Own);
        using var second = signals.Sit(Own);
        signals.Due("agent-1", "ping");
        await Wait(first);
        var call = Wait(second);

        first.BeginTaking();
        first.Hold(null);
        call.IsCompleted.Should().BeFalse("it will ask again itself");
        first.Dispose();

        await call;
    }

    [Fact]
    public async Task Of_one_line_one_taker_is_called_and_of_others_none()
    {
        using var first = signals.Sit(Own);
        using var second = signals.Sit(Own);
        using var other = signals.Sit(TaskFilter.Any);
        var calls = new[] { Wait(first), Wait(second), Wait(other) };
        signals.Filters.Should().BeEquivalentTo([Own, TaskFilter.Any]);

        signals.MayBeDue(Own);

        await calls[0];
        calls[1..].Should().NotContain(call => call.IsCompleted);
    }

    private static Task Wait(TaskSignals.Seat seat) => seat.WaitForWork(default).WaitAsync(TimeSpan.FromSeconds(10));

    private static void Take(TaskSignals.Seat seat, params string[] taken)
    {
        seat.BeginTaking();
        seat.Hold(taken.Select(id => new TaskDelivery(id, 1)));
    }
}
