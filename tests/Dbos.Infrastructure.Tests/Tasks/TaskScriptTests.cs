using Dbos.Application;
using Dbos.Application.Pipeline;
using Dbos.Application.Tasks;
using Dbos.Domain.ModuleStates;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;
using Dbos.Infrastructure.Transfer;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Tests.Tasks;

/// <summary>All or nothing: a key of a wrong type under each name that a script of the task queue writes.</summary>
public sealed class TaskScriptTests(RedisEngine engine) : IClassFixture<RedisEngine>
{
    private static readonly Origin Origin = new("test", "trace-1");
    private static readonly CommitContext Context = new() { Origin = Origin };
    private static readonly DeliveryReport Report = new(
        "a1",
        Given.Result("t0").Result,
        new ReportedState("a1", "ping", RunState.Completed, string.Empty, new Dictionary<string, string>(), 0, "t0", ExpectedVersions.Any));

    private static readonly OpenOptions OnePartition = new()
    {
        Settings = settings => settings with { Partitions = 1 },
        Policy = OpenOptions.DefaultPolicy with { CompletedTaskRetention = TimeSpan.FromMilliseconds(1) },
    };

    /// <summary>What was scheduled before: t0 and t1 of a1:ping, t2 of a2:ping. Called with the token of t0's delivery.</summary>
    private static readonly Dictionary<string, (Func<OpenStore, Task<long>> Before, Func<ITaskRepository, long, Task> Act)> Operations = new()
    {
        ["schedule"] = (_ => Task.FromResult(0L), (tasks, _) => tasks.Schedule([SchedulingOf("t8"), SchedulingOf("t9")], default)),
        ["take"] = (Scheduled, (tasks, _) => tasks.Take(new(TaskFilter.Any, null, 3, TimeSpan.FromMinutes(5)), Origin, default)),
        ["ack"] = (Delivered, (tasks, _) => tasks.Acknowledge([new("t0", 0, Context), new("t1", 0, Context)], default)),
        ["ack with report"] = (Delivered, (tasks, _) => tasks.AcknowledgeWith(Report, new("t0", 0, Context), default)),
        ["ack with report of a further agent"] = (DeliveredWithParts, (tasks, _) => tasks.AcknowledgeWith(Report, new("t0", 0, Context), default)),
        ["nack with state"] = (Delivered, (tasks, token) => tasks.NegativelyAcknowledge(
            new("t0", token, [TimeSpan.Zero], "why", Context) { Report = Report with { Result = null } }, default)),
        ["reject"] = (Delivered, (tasks, token) => tasks.NegativelyAcknowledge(
            new("t0", token, [TimeSpan.Zero], "why", Context) { Kind = NackKind.DeadLetter }, default)),
        ["release by holder"] = (Delivered, (tasks, token) => tasks.NegativelyAcknowledge(
            new("t0", token, [TimeSpan.Zero], "why", Context) { Kind = NackKind.Release }, default)),
        ["nack"] = (Delivered, (tasks, token) => tasks.NegativelyAcknowledge(new("t0", token, [TimeSpan.Zero], "why", Context), default)),
        ["dead letter"] = (FailedOnce, (tasks, token) => tasks.NegativelyAcknowledge(new("t0", token, [TimeSpan.Zero], "why", Context), default)),
        ["extend"] = (Delivered, (tasks, token) => tasks.ExtendLease(new("t0", token, TimeSpan.FromHours(1), Context), default)),
        ["release"] = (Delivered, (tasks, token) => tasks.Release([new("t0", token)], Origin, default)),
        ["expire"] = (Expired, (tasks, _) => tasks.ExpireLeases(Origin, default)),
        ["cancel"] = (Scheduled, (tasks, _) => tasks.Cancel(new("t0", "why", Context), default)),
        ["cancel inflight"] = (Delivered, (tasks, _) => tasks.Cancel(new("t0", "why", Context), default)),
        ["requeue"] = (Dead, (tasks, _) => tasks.Requeue(["t0"], Origin, default)),
        ["delete"] = (Dead, (tasks, _) => tasks.DeleteDeadLetter("t0", Context, default)),
        ["purge"] = (Ended, (tasks, _) => tasks.PurgeEnded(default)),
    };

    public static TheoryData<string> Names => [.. Operations.Keys];

    /// <summary>The keys are those that differ after the operation was done elsewhere: none is forgotten.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_wrong_type_under_each_key_that_a_script_writes_changes_nothing(string operation)
    {
        var (before, act) = Operations[operation];
        var written = await Written(before, act);
        written.Should().NotBeEmpty();

        foreach (var name in written)
        {
            await using var dbos = await engine.Open(OnePartition);
            var token = await before(dbos);
            await Spoil(dbos, name);
            var contents = await Contents(dbos);

            Exception? fault = null;
            try
            {
                await act(dbos.Get<ITaskRepository>(), token);
            }
            catch (Exception error) when (error is InvalidOperationException or StoreUnavailableException)
            {
                fault = error;
            }

            fault.Should().NotBeNull($"{name} is of a wrong type");
            (await Contents(dbos)).Should().Equal(contents, $"{name} is of a wrong type");
        }
    }

    [Fact]
    public async Task An_import_that_meets_a_key_of_a_wrong_type_changes_nothing()
    {
        await using var source = await engine.Open(OnePartition);
        await Delivered(source);
        var tasks = await source.Get<ISubjectTransfer<MeasurementTask>>().Export().ToListAsync();
        foreach (var name in (string[])["task:t0", "task:t2", "tasks:inflight", "deliveries"])
        {
            await using var dbos = await engine.Open(OnePartition);
            await Spoil(dbos, name);
            var contents = await Contents(dbos);

            var import = () => dbos.Get<ISubjectTransfer<MeasurementTask>>().Import(tasks, default);

            await import.Should().ThrowAsync<InvalidOperationException>(name);
            (await Contents(dbos)).Should().Equal(contents, name);
        }
    }

    [Fact]
    public async Task Counters_and_a_log_of_a_wrong_type_lose_the_event_and_not_the_task()
    {
        await using var dbos = await engine.Open(OnePartition);
        await Spoil(dbos, "events");
        await Spoil(dbos, "counts");

        (await dbos.Send(Given.Task())).Value.Duplicate.Should().BeFalse();
        var taken = (await dbos.Send(Given.Due())).Value.Should().ContainSingle().Subject;
        (await dbos.Send(new AckTask("t1", taken.LeaseToken))).Value.Duplicate.Should().BeFalse();
    }

    private static Scheduling SchedulingOf(string id) => new(
        new MeasurementTask(id, "a1", "ping", default, 1, 1, MeasurementTaskStatus.Pending, DateTimeOffset.FromUnixTimeSeconds(1), new(1, 1), 0),
        IsTimeGiven: true,
        new CommitContext { Origin = Origin });

    private static async Task<long> Scheduled(OpenStore dbos)
    {
        await dbos.Send(new ScheduleTasks([Given.Task("t0", maxRetries: 1), Given.Task("t1"), Given.Task("t2", agentId: "a2")]));
        return 0;
    }

    private static async Task<long> Delivered(OpenStore dbos)
    {
        await Scheduled(dbos);
        return (await dbos.Send(Given.Due())).Value.Single(task => task.Id == "t0").LeaseToken;
    }

    /// <summary>Another agent has a result and a state of t0's id.</summary>
    private static async Task<long> DeliveredWithParts(OpenStore dbos)
    {
        await dbos.Send(Given.Result("t0", "a9"));
        await dbos.Send(Given.State("t0", agentId: "a9"));
        return await Delivered(dbos);
    }

    private static async Task<long> FailedOnce(OpenStore dbos)
    {
        await dbos.Send(Given.Nack(id: "t0", token: await Delivered(dbos)));
        return (await dbos.Send(Given.Due())).Value.Single().LeaseToken;
    }

    private static async Task<long> Dead(OpenStore dbos)
    {
        await dbos.Send(Given.Nack(id: "t0", token: await FailedOnce(dbos)));
        return 0;
    }

    private static async Task<long> Expired(OpenStore dbos)
    {
        await Scheduled(dbos);
        await dbos.Get<ITaskRepository>().Take(new(TaskFilter.Any, null, 3, TimeSpan.FromMilliseconds(1)), Origin, default);
        await Task.Delay(20);
        return 0;
    }

    private static async Task<long> Ended(OpenStore dbos)
    {
        await Delivered(dbos);
        await dbos.Send(new AckTask("t0", LeaseToken: 0));
        await dbos.Send(new CancelTask("t1", string.Empty));
        await Task.Delay(20);
        return 0;
    }

    private async Task<List<string>> Written(Func<OpenStore, Task<long>> before, Func<ITaskRepository, long, Task> act)
    {
        await using var dbos = await engine.Open(OnePartition);
        var token = await before(dbos);
        var contents = await Contents(dbos);
        await act(dbos.Get<ITaskRepository>(), token);
        var after = await Contents(dbos);
        return
        [
            .. contents.Except(after).Concat(after.Except(contents)).Select(line => line.Split(' ')[0]).Distinct()
                .Where(name => name != "events" && !name.StartsWith("counts", StringComparison.Ordinal)),
        ];
    }

    private async Task Spoil(OpenStore dbos, string name)
    {
        var redis = engine.Operator.GetDatabase();
        var key = dbos.Get<RedisPartitions>().Key(0, name);
        await redis.KeyDeleteAsync(key);
        await redis.ListRightPushAsync(key, "x");
    }

    /// <summary>Every key of the store with all that it holds.</summary>
    private async Task<List<string>> Contents(OpenStore dbos)
    {
        var redis = engine.Operator.GetDatabase();
        var contents = new List<string>();
        await foreach (var key in engine.Operator.GetServers()[0].KeysAsync(pattern: $"{{{dbos.Settings.KeyPrefix}:*"))
        {
            var name = key.ToString();
            name = name[(name.IndexOf("}:", StringComparison.Ordinal) + 2)..];
            if (name != "probe" && await redis.KeyDumpAsync(key) is { } held)
            {
                contents.Add($"{name} {Convert.ToBase64String(held)}");
            }
        }

        contents.Sort(StringComparer.Ordinal);
        return contents;
    }
}
