using Dbos.Api.Tests.Support;

namespace Dbos.Api.Tests.Races;

public abstract class TaskRaceTests(Deployment dbos)
{
    private const int Takers = 8;
    private const int TasksOfRace = 3_000;
    private const int Batch = 50;
    private const long FirstDue = 1_000_000_000;
    private const string RecordName = ":task:";

    /// <summary>For so long a DBOS relies on what it knows to be due in each partition.</summary>
    private static readonly TimeSpan LongestKnown = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task Eight_takers_of_3000_tasks_take_each_exactly_once()
    {
        var ids = await Schedule(TasksOfRace);
        var takers = dbos.Connect(Takers);

        // Nobody still connects when the others have taken all.
        await Task.WhenAll(takers.Select(taker => taker.FindTask(ids[0])));
        var takings = await Task.WhenAll(takers.Select(TakeAll));

        var taken = takings.SelectMany(batches => batches).SelectMany(batch => batch).ToArray();
        taken.Should().HaveCount(TasksOfRace);
        taken.Select(task => task.Id).Order(StringComparer.Ordinal).Should().Equal(ids.Order(StringComparer.Ordinal));
        taken.Should().OnlyContain(task => task.Status == "inflight" && task.DeliveryCount == 1 && task.RetryCount == 0);
        takings.Should().OnlyContain(batches => batches.Count > 0, "eight takers share the queue");
        var partitions = await PartitionsOf(ids);
        takings.SelectMany(batches => batches).SelectMany(batch => batch.GroupBy(task => partitions[task.Id])).Should().AllSatisfy(
            ofOne => ofOne.Select(task => task.ScheduledAt).Should().BeInAscendingOrder());
    }

    [Fact]
    public async Task Within_a_partition_the_oldest_come_first()
    {
        var ids = await Schedule(3 * Batch);
        var partitions = await PartitionsOf(ids);
        await Task.Delay(LongestKnown);

        var batches = await TakeAll(dbos.Client);

        batches.Should().HaveCount(3);
        var taken = batches.SelectMany(batch => batch).Select(task => task.Id).ToArray();
        taken.Should().BeEquivalentTo(ids);
        foreach (var ofOne in ids.GroupBy(id => partitions[id]))
        {
            taken.Where(id => partitions[id] == ofOne.Key).Should().Equal(ofOne);
        }
    }

    [Fact]
    public async Task A_taker_whose_clock_is_behind_gets_what_an_agent_that_was_just_served_has_left()
    {
        var agent = Requests.NewId("agent");
        await dbos.Client.Schedule(Requests.Task("first", agent, FirstDue), Requests.Task("second", agent, FirstDue + 1));
        (await dbos.Client.Take(agent, limit: 1)).Select(task => task.Id).Should().Equal("first");

        var behind = new ListDueTasksRequest { AgentId = agent, Timestamp = DateTimeOffset.UtcNow.ToUnixTimeSeconds() - 60 };
        (await dbos.Client.ListDueTasksAsync(behind)).Tasks.Select(task => task.Id).Should().Equal("second");
    }

    [Fact]
    public async Task One_delivery_acknowledged_by_20_callers_at_once_is_completed_once()
    {
        var id = (await Schedule(1)).Single();
        var token = (await TakeAll(dbos.Client)).Single().Single().LeaseToken;

        var replies = await Task.WhenAll(dbos.Connect(20).Select(
            client => client.AckTaskAsync(new AckTaskRequest { TaskId = id, LeaseToken = token }).ResponseAsync));

        replies.Should().OnlyContain(reply => reply.Success);
        replies.Count(reply => !reply.Duplicate).Should().Be(1);
        (await dbos.Client.ReadEvents("task_acknowledged", "task_id", id)).Should().ContainSingle();
    }

    /// <summary>The names of the tasks' records in Redis, which begin with their partitions. None: the store has one partition.</summary>
    protected virtual Task<IReadOnlyList<string>> Records() => Task.FromResult<IReadOnlyList<string>>([]);

    protected static async Task<IReadOnlyList<string>> Records(IEnumerable<RedisServer> servers, string prefix)
    {
        var names = await Task.WhenAll(servers.Select(server => server.Ask("keys", $"{{{prefix}:*}}{RecordName}*")));
        return [.. names.SelectMany(some => some.Split('\n', StringSplitOptions.RemoveEmptyEntries))];
    }

    /// <returns>By task id.</returns>
    private async Task<Dictionary<string, string>> PartitionsOf(string[] ids)
    {
        var known = (await Records()).Select(name => name.Split(RecordName)).ToDictionary(parts => parts[1], parts => parts[0]);
        return ids.ToDictionary(id => id, id => known.GetValueOrDefault(id, string.Empty));
    }

    private static async Task<List<IReadOnlyList<WireTask>>> TakeAll(DBOS.DBOSClient taker)
    {
        var batches = new List<IReadOnlyList<WireTask>>();
        while (true)
        {
            var reply = await taker.ListDueTasksAsync(new ListDueTasksRequest { Limit = Batch });
            reply.Error.Should().BeEmpty();
            if (reply.Tasks.Count == 0)
            {
                return batches;
            }

            batches.Add(reply.Tasks);
        }
    }

    /// <returns>The ids, the one due earliest first.</returns>
    private async Task<string[]> Schedule(int count)
    {
        var clients = dbos.Connect(Takers);
        var ids = Enumerable.Range(0, count).Select(_ => Requests.NewId("task")).ToArray();
        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = 8 * Takers }, async (place, cancellation) =>
        {
            var reply = await clients[place % Takers].ScheduleTaskAsync(
                Requests.Schedule(ids[place], scheduledAt: FirstDue + place), cancellationToken: cancellation);
            (reply.Success && !reply.Duplicate).Should().BeTrue(reply.Error);
        });
        return ids;
    }
}

public sealed class TaskRacesOnRedis(TwoOnRedis dbos) : TaskRaceTests(dbos), IClassFixture<TwoOnRedis>
{
    private readonly TwoOnRedis dbos = dbos;

    protected override Task<IReadOnlyList<string>> Records() => Records([dbos.Redis], "dbos");
}

[Collection(SharedCluster.Name)]
public sealed class TaskRacesOnCluster(TwoOnCluster dbos, SharedCluster shared) : TaskRaceTests(dbos), IClassFixture<TwoOnCluster>
{
    private readonly TwoOnCluster dbos = dbos;

    protected override async Task<IReadOnlyList<string>> Records() => await Records(await shared.Cluster.ServingNodes(), dbos.Settings["KEY_PREFIX"]);
}

public sealed class TaskRacesOnEmbedded(OneEmbedded dbos) : TaskRaceTests(dbos), IClassFixture<OneEmbedded>;
