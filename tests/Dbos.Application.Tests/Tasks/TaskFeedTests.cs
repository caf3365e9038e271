using System.Collections.Concurrent;
using System.Globalization;
using Dbos.Domain.Tasks;
using Microsoft.Extensions.DependencyInjection;

namespace Dbos.Application.Tests.Tasks;

public sealed class TaskFeedTests : IDisposable
{
    private static readonly StreamDueTasks TwoAtATime = new(TaskFilter.Any, MaxInflight: 2, 0);

    private readonly SubstitutedDbos dbos = new();
    private readonly ConcurrentQueue<MeasurementTask> due = new();
    private readonly ConcurrentQueue<TakeOrder> orders = new();
    private readonly TaskSignals signals;

    /// <summary>Called before each take.</summary>
    private Func<Task> beforeTake = () => Task.CompletedTask;

    public TaskFeedTests()
    {
        signals = dbos.Services.GetRequiredService<TaskSignals>();
        dbos.Tasks.Take(default!, default!, default).ReturnsForAnyArgs(call => Take(call.Arg<TakeOrder>()));
    }

    [Fact]
    public async Task A_taker_is_served_for_its_filter_its_limit_and_its_lease_and_told_of_ends()
    {
        var own = new TaskFilter("agent-1", "ping");
        await using var feed = await RunningFeed.Start(dbos, new StreamDueTasks(own, MaxInflight: 7, VisibilityTimeoutSeconds: 60));
        RunningFeed.ShouldWaitForWork(dbos);

        orders.Should().Equal(new TakeOrder(own, Due: null, Limit: 7, TimeSpan.FromSeconds(60), TellsEnd: true));
    }

    [Fact]
    public async Task One_task_at_a_time_is_delivered_unless_asked_otherwise()
    {
        AreDue(1, 2);
        await using var feed = await RunningFeed.Start(dbos, new StreamDueTasks(TaskFilter.Any, 0, 0));

        (await feed.Next()).Should().Equal("task-1");
        orders.Should().ContainSingle().Which.Should().Be(new TakeOrder(TaskFilter.Any, null, 1, TimeSpan.FromMinutes(5), TellsEnd: true));
    }

    [Fact]
    public async Task No_more_is_unfinished_than_the_limit_and_an_end_makes_room()
    {
        AreDue(1, 2, 3, 4);
        await using var feed = await RunningFeed.Start(dbos, TwoAtATime);
        (await feed.Next()).Should().Equal("task-1", "task-2");

        signals.Ended(new("task-2", Samples.Inflight.LeaseToken));
        (await feed.Next()).Should().Equal("task-3");
        signals.Ended(new("task-1", Samples.Inflight.LeaseToken));
        (await feed.Next()).Should().Equal("task-4");

        orders.Select(order => order.Limit).Should().Equal(2, 1, 1);
    }

    [Fact]
    public async Task Where_nothing_is_due_the_store_is_not_asked_until_something_is()
    {
        await using var feed = await RunningFeed.Start(dbos, TwoAtATime);
        RunningFeed.ShouldWaitForWork(dbos);
        AreDue(1);
        orders.Should().ContainSingle();

        signals.Due("agent-1", "ping");

        (await feed.Next()).Should().Equal("task-1");
    }

    [Fact]
    public async Task One_call_is_enough_for_all_who_wait()
    {
        var one = new StreamDueTasks(TaskFilter.Any, 1, 0);
        await using var first = await RunningFeed.Start(dbos, one);
        await using var second = await RunningFeed.Start(dbos, one);
        RunningFeed.ShouldWaitForWork(dbos);
        AreDue(1, 2);

        signals.Due("agent-1", "ping");

        string[] delivered = [.. await first.Next(), .. await second.Next()];
        delivered.Should().BeEquivalentTo("task-1", "task-2");
    }

    [Fact]
    public async Task Large_tasks_are_delivered_in_small_messages()
    {
        var payload = new byte[5_000];
        foreach (var i in Enumerable.Range(1, 5))
        {
            due.Enqueue(Numbered(i) with { Payload = payload });
        }

        due.Enqueue(Numbered(6) with { Payload = new byte[100_000] });
        await using var feed = await RunningFeed.Start(dbos, TwoAtATime with { MaxInflight = 10 });

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
            due.Enqueue(Numbered(i) with { Payload = payload });
        }

        var feed = await RunningFeed.Start(
            dbos, TwoAtATime with { MaxInflight = 3 }, message => Reach(message[0].Id == "task-1"));

        (await feed.Run.Awaiting(run => run.WaitAsync(TimeSpan.FromSeconds(10))).Should().ThrowAsync<IOException>())
            .WithMessage("the caller is gone");
        ShouldHaveReleased("task-2", "task-3");
    }

    [Fact]
    public async Task What_was_taken_while_the_caller_went_away_goes_back_to_the_queue()
    {
        var (asked, goesOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        beforeTake = () =>
        {
            asked.SetResult();
            return goesOn.Task;
        };
        AreDue(1, 2);
        var feed = await RunningFeed.Start(dbos, TwoAtATime);
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(10));

        var end = feed.HangUp();
        goesOn.SetResult();
        await end;

        ShouldHaveReleased("task-1", "task-2");
    }

    [Fact]
    public async Task A_delivery_that_ended_meanwhile_is_not_released()
    {
        AreDue(1);
        dbos.NextSaves["task-1"] = new Saved<MeasurementTask>.Conflict(Numbered(1) with { Status = MeasurementTaskStatus.Cancelled, Version = 3 });
        var feed = await RunningFeed.Start(dbos, TwoAtATime, _ => Reach(false));

        await feed.Run.Awaiting(run => run.WaitAsync(TimeSpan.FromSeconds(10))).Should().ThrowAsync<IOException>();
        dbos.TaskCommits.Should().ContainSingle();
    }

    public static TheoryData<Exception> Outages => [new StoreUnavailableException("away"), new StoreBusyException()];

    [Theory]
    [MemberData(nameof(Outages))]
    public async Task An_outage_pauses_deliveries_and_ends_nothing(Exception outage)
    {
        var asked = 0;
        beforeTake = () => Interlocked.Increment(ref asked) <= 2 ? Task.FromException(outage) : Task.CompletedTask;
        AreDue(1);
        await using var feed = await RunningFeed.Start(dbos, new StreamDueTasks(TaskFilter.Any, 1, VisibilityTimeoutSeconds: 36_000));
        SpinWait.SpinUntil(() => asked > 0, TimeSpan.FromSeconds(10)).Should().BeTrue();

        dbos.Clock.Advance(TimeSpan.FromMilliseconds(999));
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
        await using var feed = await RunningFeed.Start(dbos, new StreamDueTasks(TaskFilter.Any, 1, VisibilityTimeoutSeconds: 36_000));
        await feed.Next();
        var asked = 0;
        dbos.Tasks.FindBare("task-1", Arg.Any<CancellationToken>()).Returns(_ => Interlocked.Increment(ref asked) <= 2
            ? Task.FromException<MeasurementTask?>(outage)
            : Task.FromResult<MeasurementTask?>(null));

        signals.Missed();

        (await InTime(feed.Next())).Should().Equal("task-2");
        asked.Should().Be(3);
    }

    [Theory]
    [MemberData(nameof(Outages))]
    public async Task What_cannot_be_looked_up_holds_up_no_others(Exception outage)
    {
        AreDue(1, 2, 3);
        await using var feed = await RunningFeed.Start(dbos, TwoAtATime);
        await feed.Next();
        dbos.Tasks.FindBare("task-1", Arg.Any<CancellationToken>()).Returns(Task.FromException<MeasurementTask?>(outage));
        dbos.Tasks.FindBare("task-2", Arg.Any<CancellationToken>()).Returns((MeasurementTask?)null);

        signals.Missed();

        (await feed.Next()).Should().Equal("task-3");
    }

    [Fact]
    public async Task What_is_missed_while_it_is_looked_up_is_looked_up_again()
    {
        AreDue(1, 2);
        await using var feed = await RunningFeed.Start(dbos, TwoAtATime with { MaxInflight = 1 });
        await feed.Next();
        var asked = 0;
        dbos.Tasks.FindBare("task-1", Arg.Any<CancellationToken>()).Returns(_ =>
        {
            if (Interlocked.Increment(ref asked) > 1)
            {
                return Task.FromResult<MeasurementTask?>(null);
            }

            signals.Missed();
            return Task.FromResult<MeasurementTask?>(Numbered(1));
        });

        signals.Missed();

        (await feed.Next()).Should().Equal("task-2");
    }

    [Fact]
    public async Task Few_are_looked_up_at_a_time()
    {
        AreDue([.. Enumerable.Range(1, 60)]);
        await using var feed = await RunningFeed.Start(dbos, TwoAtATime with { MaxInflight = 60 });
        await feed.Next();
        var (atATime, most) = (0, 0);
        dbos.Tasks.FindBare(default!, default).ReturnsForAnyArgs(async _ =>
        {
            most = Math.Max(most, Interlocked.Increment(ref atATime));
            await Task.Yield();
            Interlocked.Decrement(ref atATime);
            return null;
        });
        AreDue(61);

        signals.Missed();

        (await feed.Next()).Should().Equal("task-61");
        most.Should().BeInRange(1, 20);
    }

    [Fact]
    public async Task The_call_of_a_taker_that_the_store_did_not_answer_is_the_next_ones_when_it_goes_away()
    {
        var one = new StreamDueTasks(TaskFilter.Any, 1, 0);
        var first = await RunningFeed.Start(dbos, one);
        RunningFeed.ShouldWaitForWork(dbos);
        var asked = new TaskCompletionSource();
        beforeTake = () =>
        {
            asked.TrySetResult();
            return Task.FromException(new StoreUnavailableException("away"));
        };
        signals.Due("agent-1", "ping");
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(10));
        beforeTake = () => Task.CompletedTask;
        await using var second = await RunningFeed.Start(dbos, one);
        RunningFeed.ShouldWaitForWork(dbos);
        AreDue(1);

        await first.HangUp();

        (await second.Next()).Should().Equal("task-1");
    }

    [Fact]
    public async Task What_a_slow_reader_would_get_after_its_lease_has_ended_goes_back_to_the_queue()
    {
        var payload = new byte[20_000];
        foreach (var i in Enumerable.Range(1, 3))
        {
            due.Enqueue(Numbered(i) with { Payload = payload });
        }

        var ofTenSeconds = TwoAtATime with { MaxInflight = 3, VisibilityTimeoutSeconds = 10 };
        await using var feed = await RunningFeed.Start(dbos, ofTenSeconds, message =>
        {
            if (message[0].Id == "task-2")
            {
                dbos.Clock.Advance(TimeSpan.FromSeconds(10));
            }
        });

        (await feed.Next()).Should().Equal("task-1");
        (await feed.Next()).Should().Equal("task-2");
        RunningFeed.ShouldWaitForWork(dbos);
        ShouldHaveReleased("task-3");
    }

    public void Dispose() => dbos.Dispose();

    private static MeasurementTask Numbered(int number) =>
        Samples.Inflight with { Id = string.Create(CultureInfo.InvariantCulture, $"task-{number}") };

    private static void Reach(bool isThere)
    {
        if (!isThere)
        {
            throw new IOException("the caller is gone");
        }
    }

    /// <summary>The second task is what it is by now, and nobody told of it.</summary>
    private async Task ShouldMakeRoom(MeasurementTask? secondTask)
    {
        AreDue(1, 2, 3, 4);
        await using var feed = await RunningFeed.Start(dbos, TwoAtATime);
        await feed.Next();
        dbos.Tasks.FindBare("task-1", Arg.Any<CancellationToken>()).Returns(Numbered(1));
        dbos.Tasks.FindBare("task-2", Arg.Any<CancellationToken>()).Returns(secondTask);

        signals.Missed();
        (await feed.Next()).Should().Equal("task-3");

        signals.Ended(new("task-1", Samples.Inflight.LeaseToken));
        (await feed.Next()).Should().Equal("task-4");
        orders.Select(order => order.Limit).Should().Equal(2, 1, 1);
    }

    /// <summary>While the clock goes on.</summary>
    private async Task<T> InTime<T>(Task<T> awaited)
    {
        SpinWait.SpinUntil(
            () =>
            {
                dbos.Clock.Advance(TimeSpan.FromSeconds(1));
                return awaited.IsCompleted;
            },
            TimeSpan.FromSeconds(10)).Should().BeTrue();
        return await awaited;
    }

    private void AreDue(params int[] numbers)
    {
        foreach (var number in numbers)
        {
            due.Enqueue(Numbered(number));
        }
    }

    private async Task<TakenTasks> Take(TakeOrder order)
    {
        orders.Enqueue(order);
        await beforeTake();
        var taken = new List<MeasurementTask>();
        while (taken.Count < order.Limit && due.TryDequeue(out var task))
        {
            taken.Add(task with { VisibleAt = dbos.Clock.GetUtcNow() + order.Lease });
        }

        return new TakenTasks(taken);
    }

    private void ShouldHaveReleased(params string[] ids)
    {
        var drafts = dbos.TaskCommits.Should().ContainSingle().Subject;
        drafts.Select(draft => draft.Next.Id).Should().Equal(ids);
        drafts.Should().OnlyContain(draft =>
            draft.Next.Status == MeasurementTaskStatus.Pending
            && draft.Next.RetryCount == 0
            && draft.Work.Events[0].Type == "task_released"
            && draft.Work.Origin == new Origin("grpc:192.0.2.9", "trace-1"));
    }
}
