using Dbos.Application.Tasks;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;

namespace Dbos.Infrastructure.Tests.Tasks;

/// <summary>Which of the due tasks are taken first, and by whom.</summary>
public abstract class TaskOrderTests(IEngine engine, int partitions) : StoreTests(engine)
{
    private static readonly string[] Agents = ["a1", "a:2"];
    private static readonly string[] Modules = ["ping", "trace"];

    protected override OpenOptions Options { get; } = new() { Settings = settings => settings with { Partitions = partitions } };

    [Theory]
    [InlineData("", "")]
    [InlineData("a1", "")]
    [InlineData("", "ping")]
    [InlineData("a1", "ping")]
    public async Task A_higher_priority_goes_first_and_within_one_the_oldest(string agentId, string moduleName)
    {
        var tasks = Enumerable.Range(0, 60).Select(number => (Id: $"t{number}", Age: number * 7 % 60, Priority: number % 4 * 3)).ToArray();
        await Schedule(tasks.Select(task => Given.Task(task.Id, Given.LongAgo + task.Age, priority: task.Priority)));
        await Schedule([Given.Task("not due", 2_000_000_000, priority: 9)]);

        var taken = await TakeAll(Given.Due(agentId, moduleName, limit: 25));

        taken.Should().Equal(tasks.OrderByDescending(task => task.Priority).ThenBy(task => task.Age).Select(task => task.Id));
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("a1", "")]
    [InlineData("a:2", "")]
    [InlineData("", "ping")]
    [InlineData("", "trace")]
    [InlineData("a:2", "trace")]
    [InlineData("a3", "")]
    [InlineData("a1", "dns")]
    public async Task A_filter_takes_all_that_match_it_and_nothing_else(string agentId, string moduleName)
    {
        var tasks = (
            from agent in Agents
            from module in Modules
            from number in Enumerable.Range(0, 8)
            select Given.Task($"{agent} {module} {number}", agentId: agent, moduleName: module, priority: number % 2)).ToArray();
        await Schedule(tasks);
        var filter = new TaskFilter(agentId, moduleName);
        var matching = tasks.Where(task => filter.Matches(task.Task!.AgentId, task.Task.ModuleName)).Select(task => task.Task!.Id).ToArray();

        (await TakeAll(Given.Due(agentId, moduleName, limit: 5))).Should().BeEquivalentTo(matching);
        (await TakeAll(Given.Due())).Should().BeEquivalentTo(tasks.Select(task => task.Task!.Id).Except(matching));
    }

    [Fact]
    public async Task A_caller_whose_clock_is_slow_gets_all_that_was_due_by_then()
    {
        await Schedule(Enumerable.Range(0, 40).Select(number => Given.Task($"t{number}")));
        var aMinuteAgo = Dbos.Get<TimeProvider>().GetUtcNow().AddMinutes(-1).ToUnixTimeSeconds();

        (await TakeAll(Given.Due(limit: 3) with { Timestamp = aMinuteAgo })).Should().HaveCount(40);
    }

    [Fact]
    public async Task Takers_that_race_find_something_as_long_as_something_is_due()
    {
        const int Tasks = 400;
        var beside = await OpenBeside(Dbos);
        await Schedule(Enumerable.Range(0, Tasks).Select(number => Given.Task($"t{number}")));
        var left = Tasks;

        await Task.WhenAll(Enumerable.Range(0, 6).Select(taker => Task.Run(async () =>
        {
            for (var taken = 0; taken < 40; taken++)
            {
                (await (taker % 2 == 0 ? Dbos : beside).Send(Given.Due(limit: 1))).Value.Should().ContainSingle($"{left} are left");
                Interlocked.Decrement(ref left);
            }
        }))).WaitAsync(RacePatience);
    }

    private async Task Schedule(IEnumerable<ScheduleTask> tasks) =>
        (await Dbos.Send(new ScheduleTasks([.. tasks]))).Value.Should().OnlyContain(answer => !answer.IsRefused);

    private async Task<List<string>> TakeAll(ListDueTasks due)
    {
        var all = new List<string>();
        while ((await Dbos.Send(due)).Value is { Count: > 0 } some)
        {
            some.Should().HaveCountLessThanOrEqualTo(due.Limit == 0 ? ListDueTasks.DefaultLimit : due.Limit);
            all.AddRange(some.Select(task => task.Id));
        }

        return all;
    }
}

public sealed class TaskOrderOnSqlite(SqliteEngine engine) : TaskOrderTests(engine, partitions: 1), IClassFixture<SqliteEngine>;

public sealed class TaskOrderOnRedis(RedisEngine engine) : TaskOrderTests(engine, partitions: 1), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class TaskOrderOnCluster(ClusterEngine engine) : TaskOrderTests(engine, partitions: 1);
