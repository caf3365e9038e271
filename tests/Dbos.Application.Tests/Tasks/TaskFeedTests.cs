using Dbos.Domain.Tasks;

namespace Dbos.Application.Tests.Tasks;

public sealed class TaskFeedTests : FedTakers
{
    [Fact]
    public async Task A_taker_is_served_for_its_filter_its_limit_and_its_lease_and_told_of_ends()
    {
        var own = new TaskFilter("agent-1", "ping");
        await using var feed = await RunningFeed.Start(Dbos, new StreamDueTasks(own, MaxInflight: 7, VisibilityTimeoutSeconds: 60));
        RunningFeed.ShouldWaitForWork(Dbos);

        Orders.Should().Equal(new TakeOrder(own, Due: null, Limit: 7, TimeSpan.FromSeconds(60), ReportsEnds: true));
    }

    [Fact]
    public async Task One_task_at_a_time_is_delivered_unless_asked_otherwise()
    {
        AreDue(1, 2);
        await using var feed = await RunningFeed.Start(Dbos, new StreamDueTasks(TaskFilter.Any, 0, 0));

        (await feed.Next()).Should().Equal("task-1");
        Orders.Should().ContainSingle().Which.Should().Be(new TakeOrder(TaskFilter.Any, null, 1, TimeSpan.FromMinutes(5), ReportsEnds: true));
    }

    [Fact]
    public async Task No_more_is_unfinished_than_the_limit_and_an_end_makes_room()
    {
        AreDue(1, 2, 3, 4);
        await using var feed = await RunningFeed.Start(Dbos, TwoAtATime);
        (await feed.Next()).Should().Equal("task-1", "task-2");

        Signals.Ended(new("task-2", Samples.Inflight.LeaseToken));
        (await feed.Next()).Should().Equal("task-3");
        Signals.Ended(new("task-1", Samples.Inflight.LeaseToken));
        (await feed.Next()).Should().Equal("task-4");

        Orders.Select(order => order.Limit).Should().Equal(2, 1, 1);
    }

    [Fact]
    public async Task Where_nothing_is_due_the_store_is_not_asked_until_something_is()
    {
        await using var feed = await RunningFeed.Start(Dbos, TwoAtATime);
        RunningFeed.ShouldWaitForWork(Dbos);
        AreDue(1);
        Orders.Should().ContainSingle();

        Signals.Due("agent-1", "ping");

        (await feed.Next()).Should().Equal("task-1");
    }

    [Fact]
    public async Task One_call_is_enough_for_all_who_wait()
    {
        var one = new StreamDueTasks(TaskFilter.Any, 1, 0);
        await using var first = await RunningFeed.Start(Dbos, one);
        await using var second = await RunningFeed.Start(Dbos, one);
        RunningFeed.ShouldWaitForWork(Dbos);
        AreDue(1, 2);

        Signals.Due("agent-1", "ping");

        string[] delivered = [.. await first.Next(), .. await second.Next()];
        delivered.Should().BeEquivalentTo("task-1", "task-2");
    }

    [Fact]
    public async Task Large_tasks_are_delivered_in_small_messages()
    {
        var payload = new byte[5_000];
        foreach (var i in Enumerable.Range(1, 5))
        {
            Due.Enqueue(Numbered(i) with { Payload = payload });
        }

        Due.Enqueue(Numbered(6) with { Payload = new byte[100_000] });
        await using var feed = await RunningFeed.Start(Dbos, TwoAtATime with { MaxInflight = 10 });

        (await feed.Next()).Should().Equal("task-1", "task-2", "task-3");
        (await feed.Next()).Should().Equal("task-4", "task-5");
        (await feed.Next()).Should().Equal("task-6");
    }

    [Fact]
    public async Task What_was_not_delivered_goes_back_to_the_queue()
    {
        var payload = new byte[20_000];
        foreach (var i in Enumerable.Range(1, 3))
        {
            Due.Enqueue(Numbered(i) with { Payload = payload });
        }

        var feed = await RunningFeed.Start(
            Dbos, TwoAtATime with { MaxInflight = 3 }, message => Reach(message[0].Id == "task-1"));

        (await feed.Run.Awaiting(run => run.WaitAsync(TimeSpan.FromSeconds(10))).Should().ThrowAsync<IOException>())
            .WithMessage("the caller is gone");
        ShouldHaveReleased("task-2", "task-3");
    }

    [Fact]
    public async Task What_was_taken_while_the_caller_went_away_goes_back_to_the_queue()
    {
        var (asked, goesOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        BeforeTake = () =>
        {
            asked.SetResult();
            return goesOn.Task;
        };
        AreDue(1, 2);
        var feed = await RunningFeed.Start(Dbos, TwoAtATime);
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(10));

        var end = feed.HangUp();
        goesOn.SetResult();
        await end;

        ShouldHaveReleased("task-1", "task-2");
    }

    [Fact]
    public async Task What_a_slow_reader_would_get_after_its_lease_has_ended_goes_back_to_the_queue()
    {
        var payload = new byte[20_000];
        foreach (var i in Enumerable.Range(1, 3))
        {
            Due.Enqueue(Numbered(i) with { Payload = payload });
        }

        var ofTenSeconds = TwoAtATime with { MaxInflight = 3, VisibilityTimeoutSeconds = 10 };
        await using var feed = await RunningFeed.Start(Dbos, ofTenSeconds, message =>
        {
            if (message[0].Id == "task-2")
            {
                Dbos.Clock.Advance(TimeSpan.FromSeconds(10));
            }
        });

        (await feed.Next()).Should().Equal("task-1");
        (await feed.Next()).Should().Equal("task-2");
        RunningFeed.ShouldWaitForWork(Dbos);
        ShouldHaveReleased("task-3");
    }

    private static void Reach(bool isThere)
    {
        if (!isThere)
        {
            throw new IOException("the caller is gone");
        }
    }

    private void ShouldHaveReleased(params string[] ids)
    {
        var release = Dbos.Tasks.ReceivedCalls().Where(call => call.GetMethodInfo().Name == nameof(ITaskRepository.Release))
            .Should().ContainSingle().Which.GetArguments();
        release[0].Should().BeAssignableTo<IReadOnlyList<TaskDelivery>>().Which.Should().Equal(ids.Select(id => new TaskDelivery(id, Samples.Inflight.LeaseToken)));
        release[1].Should().Be(new Origin("grpc:192.0.2.9", "trace-1"));
    }
}
