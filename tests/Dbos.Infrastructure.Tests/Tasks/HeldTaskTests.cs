using Dbos.Application;
using Dbos.Application.Pipeline;
using Dbos.Application.Tasks;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tasks;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;
using Dbos.Testing;

namespace Dbos.Infrastructure.Tests.Tasks;

/// <summary>What a process knows of the tasks that it took: it spares reads, and nothing is answered by it alone.</summary>
public abstract class HeldTaskTests(IEngine engine) : StoreTests(engine)
{
    private ITaskRepository Tasks => Dbos.Get<ITaskRepository>();

    [Fact]
    public async Task A_task_is_known_without_its_payload_from_its_take_to_its_end()
    {
        await Dbos.Send(Given.Task("t1"));
        Tasks.Recall("t1").Should().BeNull();

        var taken = (await Dbos.Send(Given.Due())).Value.Tasks.Single();
        Tasks.Recall("t1").Should().BeEquivalentTo(taken with { Payload = default });

        await Dbos.Send(new ExtendTaskLease("t1", LeaseToken: 1, Seconds: 600));
        Tasks.Recall("t1")!.Version.Should().Be((await Tasks.Find("t1", None))!.Version).And.Be(3);

        await Dbos.Send(new AckTask("t1", LeaseToken: 1));
        Tasks.Recall("t1").Should().BeNull();
    }

    [Fact]
    public async Task Whoever_took_it_here_may_be_the_holder_no_more_and_another_be()
    {
        var other = await OpenBeside(Dbos);
        await Dbos.Send(Given.Task("t1"));
        await Dbos.Send(Given.Due());
        await other.Send(new NackTask("t1", RetryDelaySeconds: 0, RetryAtOnce: true, LeaseToken: 1, Reason: "no route"));
        await other.Send(Given.Due());

        (await Dbos.Send(new AckTask("t1", LeaseToken: 1))).Refusal!.Code.Should().Be(Domain.Answers.RefusalCode.LeaseLost);
        (await Dbos.Send(new AckTask("t1", LeaseToken: 2))).Value.Duplicate.Should().BeFalse();
        (await Dbos.Send(new GetTask("t1"))).Value.Should().Match<MeasurementTask>(
            task => task.Status == MeasurementTaskStatus.Completed && Text(task.Payload) == "work");
    }

    [Fact]
    public async Task An_extension_is_not_a_replay_because_it_once_would_have_been()
    {
        var other = await OpenBeside(Dbos);
        await Dbos.Send(Given.Task("t1"));
        await Dbos.Send(Given.Due());
        await Dbos.Send(new ExtendTaskLease("t1", LeaseToken: 1, Seconds: 600));
        await other.Send(new CancelTask("t1", "nobody waits"));

        (await Dbos.Send(new ExtendTaskLease("t1", LeaseToken: 1, Seconds: 10))).Refusal!.Code.Should().Be(Domain.Answers.RefusalCode.TaskCancelled);
    }

    [Fact]
    public void So_many_are_known_and_the_latest_of_each()
    {
        var held = new HeldTasks();
        var first = Inflight("first");
        held.Hear(first, isSo: true);
        held.Hear(first with { Version = 3 }, isSo: true);
        held.Find("first")!.Version.Should().Be(3);

        for (var i = 0; i < 16_383; i++)
        {
            held.Hear(Inflight($"task {i}"), isSo: true);
        }

        held.Find("first").Should().NotBeNull();
        held.Hear(Inflight("last"), isSo: true);
        (held.Find("first"), held.Find("task 0")?.Id).Should().Be((null, "task 0"));
        held.Hear(Inflight("last"), isSo: false);
        held.Find("last").Should().BeNull();
    }

    [Fact]
    public async Task What_was_extended_here_ends_with_the_lease_that_the_store_knows()
    {
        await Dbos.Send(Given.Task("t1"));
        await Dbos.Send(Given.Due());
        await Dbos.Send(new ExtendTaskLease("t1", LeaseToken: 1, Seconds: 36_000));
        var extended = (await Dbos.Send(new GetTask("t1"))).Value;

        await Dbos.Send(new AckTask("t1", LeaseToken: 1));

        (await Dbos.Send(new GetTask("t1"))).Value.VisibleAt.Should().Be(extended.VisibleAt);
    }

    private static MeasurementTask Inflight(string id) => new(
        id, "a1", "ping", default, 0, 0, MeasurementTaskStatus.Inflight, default, new RetryPolicy(3, 10), LeaseToken: 1, Version: 2);
}

public sealed class HeldTasksOnRedis(RedisEngine engine) : HeldTaskTests(engine), IClassFixture<RedisEngine>
{
    [Fact]
    public async Task What_was_taken_here_is_acknowledged_by_one_script()
    {
        await Dbos.Send(Given.Task("t1"));
        await Dbos.Send(Given.Due());
        using var caller = new TracedCaller();

        await Dbos.Send(new AckTask("t1", LeaseToken: 1));

        caller.All.Select(span => span.DisplayName).Where(name => name.Contains("HMGET") || name.Contains("EVALSHA")).Should().Equal("EVALSHA commit");
    }

    [Fact]
    public async Task What_some_partitions_gave_is_the_takers_when_another_is_away()
    {
        await Dbos.SendAll(Enumerable.Range(0, 100).Select(i => Given.Task($"t{i}")));
        var port = InterceptedStore.Of(Port, (_, args, go) => args is [Take { Partition: 5 }, ..]
            ? Task.FromException<IReadOnlyList<Delivery>>(new StoreUnavailableException("the partition is away"))
            : go());
        var tasks = new TaskRepository(port, Dbos.Get<EventWriter>(), Dbos.Get<Heartbeats>(), Dbos.Get<TimeProvider>());

        var taken = await tasks.Take(new TakeOrder(TaskFilter.Any, null, 100, TimeSpan.FromMinutes(1)), new CommitContext { Origin = Origin.Background("test") }, None);

        taken.Tasks.Select(task => task.Id).Should().BeEquivalentTo(
            Enumerable.Range(0, 100).Select(i => $"t{i}").Where(id => Port.PartitionOf(id) != 5));
        var again = () => tasks.Take(new TakeOrder(TaskFilter.Any, null, 100, TimeSpan.FromMinutes(1)), new CommitContext { Origin = Origin.Background("test") }, None);
        await again.Should().ThrowAsync<StoreUnavailableException>("nothing is to be told");
    }
}

public sealed class HeldTasksOnSqlite(SqliteEngine engine) : HeldTaskTests(engine), IClassFixture<SqliteEngine>;
