using Dbos.Application.Tasks;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;

namespace Dbos.Infrastructure.Tests.Tasks;

/// <summary>What a take leases, and what it leaves.</summary>
public abstract class TaskDeliveryTests(IEngine engine) : TaskTests(engine)
{
    private static readonly ListDueTasks Due = Given.Due();

    /// <summary>The order is exact, and tokens are of one counter, within a partition.</summary>
    protected override OpenOptions Options { get; } = new() { Settings = settings => settings with { Partitions = 1 } };

    [Fact]
    public async Task What_is_due_is_leased_to_its_taker_whole()
    {
        await Dbos.Send(Given.Task());

        var task = await TakeOne();

        (task.Status, Text(task.Payload), task.Deliveries).Should().Be((Domain.Tasks.MeasurementTaskStatus.Inflight, "work", 1));
        task.VisibleAt.Should().BeCloseTo(Now.AddMinutes(5), TimeSpan.FromSeconds(30));
        task.LeaseToken.Should().BePositive();
        (await Stored()).Should().BeEquivalentTo(task, options => options.Excluding(found => found.Payload));
        (await Take()).Should().BeEmpty();
        (await Dbos.Send(new GetQueueStats())).Value.Totals["delivered"].Should().Be(1);
    }

    [Fact]
    public async Task Tokens_grow_with_every_delivery_of_the_store()
    {
        var tokens = new List<long>();
        for (var round = 0; round < 3; round++)
        {
            await Dbos.SendAll(Enumerable.Range(0, 3).Select(number => Given.Task($"{round} {number}")));
            tokens.AddRange((await Take()).Select(task => task.LeaseToken));
        }

        tokens.Should().HaveCount(9).And.BeInAscendingOrder().And.OnlyHaveUniqueItems();
    }

    /// <summary>Whatever the delay of the answer by which the clock was set.</summary>
    [Fact]
    public async Task What_is_scheduled_for_now_is_due_at_once()
    {
        for (var number = 0; number < 200; number++)
        {
            await Dbos.Probe();
            await Dbos.Send(Given.Task($"t{number}", scheduledAt: 0));

            (await TakeOne()).Id.Should().Be($"t{number}");
        }
    }

    [Fact]
    public async Task What_is_not_due_yet_is_not_taken()
    {
        await Dbos.Send(Given.Task(scheduledAt: 4_000_000_000));

        (await Take()).Should().BeEmpty();
    }

    [Fact]
    public async Task A_large_take_comes_in_one_answer()
    {
        await Dbos.Send(new ScheduleTasks([.. Enumerable.Range(0, 450).Select(number => Given.Task($"t{number}", Given.LongAgo + number))]));

        (await Take(limit: 420)).Select(task => task.Id).Should().Equal(Enumerable.Range(0, 420).Select(number => $"t{number}"));
        (await Take(limit: 420)).Should().HaveCount(30);
    }

    [Fact]
    public async Task The_longest_due_come_first()
    {
        var order = Enumerable.Range(0, 60).Select(number => $"t{number * 7 % 60}").ToArray();
        await Dbos.SendAll(order.Select((id, age) => Given.Task(id, Given.LongAgo + age)));

        (await TakeIds(Due with { Limit = 25 })).Should().Equal(order[..25]);
        (await TakeIds(Due with { Limit = 100 })).Should().Equal(order[25..]);
        (await TakeIds(Due)).Should().BeEmpty();
    }

    [Fact]
    public async Task A_reply_holds_no_more_than_its_bytes_but_the_oldest_whatever_its_size()
    {
        const int MiB = 1024 * 1024;
        await Dbos.Send(Given.Task("large", Given.LongAgo, payload: new string('x', 4 * MiB)));
        await Dbos.SendAll(Enumerable.Range(0, 40).Select(number => Given.Task($"t{number}", Given.LongAgo + 1 + number, payload: new string('x', MiB / 4))));

        (await TakeIds(Due)).Should().Equal("large");
        var taken = new List<string>();
        while (await TakeIds(Due) is { Length: > 0 } some)
        {
            some.Length.Should().BeLessThanOrEqualTo(12, "a reply holds 3 MiB");
            taken.AddRange(some);
            taken.Should().HaveCountLessThanOrEqualTo(40);
        }

        taken.Should().HaveCount(40).And.OnlyHaveUniqueItems();
    }

    [Fact]
    public async Task Takers_of_two_replicas_take_each_task_once()
    {
        const int Tasks = 600;
        var beside = await OpenBeside(Dbos);
        await Dbos.SendAll(Enumerable.Range(0, Tasks).Select(number => Given.Task($"t{number}")));

        var taken = await Task.WhenAll(Enumerable.Range(0, 8).Select(taker => Task.Run(async () =>
        {
            var dbos = taker % 2 == 0 ? Dbos : beside;
            var own = new List<string>();
            while ((await dbos.Send(Due with { Limit = 10 })).Value is { Count: > 0 } some)
            {
                own.AddRange(some.Select(task => task.Id));
            }

            return own;
        }))).WaitAsync(RacePatience);

        taken.SelectMany(own => own).Should().HaveCount(Tasks).And.OnlyHaveUniqueItems();
    }

    private async Task<string[]> TakeIds(ListDueTasks due) => [.. (await Dbos.Send(due)).Value.Select(task => task.Id)];
}

public sealed class TaskDeliveryOnSqlite(SqliteEngine engine) : TaskDeliveryTests(engine), IClassFixture<SqliteEngine>;

public sealed class TaskDeliveryOnRedis(RedisEngine engine) : TaskDeliveryTests(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class TaskDeliveryOnCluster(ClusterEngine engine) : TaskDeliveryTests(engine)
{
    [Fact]
    public async Task A_large_take_gathers_from_all_partitions_and_tokens_of_each_grow()
    {
        var dbos = await Open(new OpenOptions());
        await dbos.Send(new ScheduleTasks([.. Enumerable.Range(0, 450).Select(number => Given.Task($"t{number}"))]));

        var first = (await dbos.Send(Given.Due(limit: 420))).Value;
        var second = (await dbos.Send(Given.Due(limit: 420))).Value;

        (first.Count, second.Count).Should().Be((420, 30));
        var taken = first.Concat(second).ToArray();
        taken.Select(task => task.Id).Should().OnlyHaveUniqueItems();
        foreach (var partition in taken.GroupBy(task => Infrastructure.Store.Partitioning.PartitionOf(task.Id, dbos.Partitions)))
        {
            partition.Select(task => task.LeaseToken).Should().BeInAscendingOrder().And.OnlyHaveUniqueItems();
        }
    }
}
