using Dbos.Application.Tasks;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Tests.Tasks;

/// <summary>The audit finds what does not fit, and puts it right so that tasks are delivered again.</summary>
public abstract class TaskAuditTests(IEngine engine) : TaskTests(engine)
{
    protected override OpenOptions Options { get; } = new() { Settings = settings => settings with { Partitions = 1 } };

    [Fact]
    public async Task A_store_whose_tasks_were_through_every_transition_is_consistent()
    {
        await Die();
        await Dbos.Send(new RequeueDeadLetterTasks(["t1"], TaskFilter.Any, All: false));
        await Dbos.SendAll(Enumerable.Range(0, 9).Select(number => Given.Task($"n{number}", agentId: $"a:{number % 2}", moduleName: $"m {number % 3}", priority: number)));
        var taken = await Take(limit: 5);
        await Dbos.Send(new AckTask(taken[0].Id, taken[0].LeaseToken));
        await Dbos.Send(new CancelTask(taken[1].Id, string.Empty));
        await Tasks.Release([taken[2].Delivery], Caller, None);
        await Dbos.Send(Given.Nack(delaySeconds: 60, token: taken[3].LeaseToken, id: taken[3].Id));
        await Dbos.Send(new CancelTask("n1", string.Empty));

        (await Audit(repair: false)).Should().BeEmpty();
    }

    protected async Task<IReadOnlyList<Inconsistency>> Audit(bool repair)
    {
        var found = new List<Inconsistency>();
        await foreach (var slice in Dbos.Get<ITaskAudit>().Run(repair, Caller))
        {
            found.AddRange(slice.Inconsistencies);
        }

        return found;
    }
}

public sealed class TaskAuditOnSqlite(SqliteEngine engine) : TaskAuditTests(engine), IClassFixture<SqliteEngine>;

public abstract class TaskAuditOnAnyRedis(AnyRedisEngine engine) : TaskAuditTests(engine)
{
    /// <summary>Of t1, pending, of a1:ping in the last band; or of t2, which was taken.</summary>
    public static TheoryData<string, string, string> Faults => new()
    {
        { "removed", "tasks:pending", "a1:ping:t1" },
        { "removed", "queue:a1:ping", "t1" },
        { "removed", "ready", "9:a1" },
        { "removed", "ready:agent:a1", "9:ping" },
        { "removed", "ready:module:ping", "9:a1" },
        { "removed", "tasks:inflight", "a2:ping:t2" },
        { "added", "tasks:pending", "a1:ping:none" },
        { "added", "tasks:completed", "a1:ping:t1" },
        { "added", "tasks:inflight", "a1:ping:t1" },
        { "added", "queue:a1:ping", "none" },
        { "added", "queue:a2:ping", "t1" },
        { "added", "ready:agent:a1", "9:none" },
        { "moved", "tasks:pending", "a1:ping:t1" },
        { "moved", "queue:a1:ping", "t1" },
        { "moved", "tasks:inflight", "a2:ping:t2" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_wrong_entry_is_found_and_put_right(string fault, string name, string member)
    {
        await Dbos.Send(Given.Task("t2", agentId: "a2"));
        await TakeOne();
        await Dbos.Send(Given.Task("t1"));
        await Plant(fault, name, member);

        (await Audit(repair: false)).Should().NotBeEmpty().And.OnlyContain(one => !one.Repaired);
        (await Audit(repair: false)).Should().NotBeEmpty("looking changes nothing");
        (await Audit(repair: true)).Should().NotBeEmpty().And.OnlyContain(one => one.Repaired);

        // A queue that was mended may need a turn that was right before.
        await Audit(repair: true);
        (await Audit(repair: false)).Should().BeEmpty();
        (await Take()).Select(task => task.Id).Should().Equal("t1");
        (await Dbos.Send(new AckTask("t2", LeaseToken: 0))).IsRefused.Should().BeFalse();
        (await Dbos.History()).Should().Contain(told => told.Contains("\"type\":\"task_repaired\"", StringComparison.Ordinal));
    }

    private async Task Plant(string fault, string name, string member)
    {
        var redis = engine.Operator.GetDatabase();
        var key = Dbos.Get<RedisPartitions>().Key(0, name);
        switch (fault)
        {
            case "removed":
                (await redis.SortedSetRemoveAsync(key, member)).Should().BeTrue();
                break;
            case "added":
                (await redis.SortedSetAddAsync(key, member, 9 * Infrastructure.Store.Bands.Width + 1)).Should().BeTrue();
                break;
            default:
                (await redis.SortedSetScoreAsync(key, member)).Should().NotBeNull();
                await redis.SortedSetIncrementAsync(key, member, 7_000);
                break;
        }
    }
}

public sealed class TaskAuditOnRedis(RedisEngine engine) : TaskAuditOnAnyRedis(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class TaskAuditOnCluster(ClusterEngine engine) : TaskAuditOnAnyRedis(engine);
