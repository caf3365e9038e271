using Dbos.Application.Tasks;
using Dbos.Infrastructure.Tasks;
using Dbos.Testing;

namespace Dbos.Infrastructure.Tests.Tasks;

/// <summary>After something may have been missed, those who wait look again, but not all at once.</summary>
public sealed class TaskWatcherTests : IDisposable
{
    private readonly TaskSignals signals = new();
    private readonly List<TaskSignals.Seat> seats = [];

    [Fact]
    public async Task Thousands_of_lines_look_again_one_after_the_other()
    {
        const int Lines = 2_000;
        var calls = Enumerable.Range(0, Lines).Select(line => Wait($"agent-{line}")).ToArray();

        new TaskWatcher(signals, TimeProvider.System).Missed();

        calls.Count(call => call.IsCompleted).Should().BeInRange(1, Lines / 4);
        await Eventually.True(() => calls.All(call => call.IsCompleted), TimeSpan.FromSeconds(20), "every line looked again");
    }

    [Fact]
    public void A_few_look_again_at_once_one_of_each_line()
    {
        var first = Wait("agent-1");
        var second = Wait("agent-1");
        var other = Wait("agent-2");

        new TaskWatcher(signals, TimeProvider.System).Missed();

        (first.IsCompleted, second.IsCompleted, other.IsCompleted).Should().Be((true, false, true));
    }

    public void Dispose() => seats.ForEach(seat => seat.Dispose());

    private Task Wait(string agentId)
    {
        seats.Add(signals.Sit(new TaskFilter(agentId, string.Empty)));
        return seats[^1].WaitForWork(default);
    }
}
