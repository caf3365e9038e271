using Dbos.Application.Tasks;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;

namespace Dbos.Infrastructure.Tests.Tasks;

/// <summary>One agent has a backlog in every partition and of several modules; others have a task now and then.</summary>
public abstract class TaskFairnessTests(IEngine engine, int partitions) : StoreTests(engine)
{
    private const int Backlog = 2_000;

    protected override OpenOptions Options { get; } = new() { Settings = settings => settings with { Partitions = partitions } };

    [Theory]
    [InlineData(1, "", 4)]
    [InlineData(10, "", 4)]
    [InlineData(100, "", 4)]
    [InlineData(1, "m0", 4)]
    [InlineData(10, "m0", 4)]
    [InlineData(100, "m0", 1)]
    public async Task A_single_task_waits_for_one_batch_of_the_others_backlog_at_most(int limit, string moduleName, int rounds)
    {
        // Far more lanes than whoever looks for one task reads at first; of one module the backlog must last.
        var modules = moduleName.Length == 0 ? 50 : 5;
        for (var number = 0; number < Backlog; number += 1_000)
        {
            await Schedule(Enumerable.Range(number, 1_000).Select(
                one => Given.Task($"hog {one}", Given.LongAgo + one, agentId: "hog", moduleName: $"m{one % modules}")));
        }

        var due = Given.Due(moduleName: moduleName, limit: limit);
        for (var round = 0; round < rounds; round++)
        {
            await Take(due);
            await Schedule([Given.Task($"single {round}", scheduledAt: 0, agentId: $"agent {round}", moduleName: "m0")]);

            string[] taken = [.. await Take(due), .. await Take(due)];

            taken.Should().Contain($"single {round}");
            taken.Should().HaveCount(2 * limit, "the backlog fills the rest");
        }
    }

    [Fact]
    public async Task An_agent_of_hundreds_of_modules_has_one_turn_among_many_others()
    {
        const int Others = 12;
        await Schedule(Enumerable.Range(0, 1_000).Select(
            one => Given.Task($"hog {one}", Given.LongAgo, agentId: "hog", moduleName: $"m{one % 500}")));
        await Schedule(Enumerable.Range(0, Others).Select(
            one => Given.Task($"other {one}", Given.LongAgo + 1, agentId: $"agent {one}", moduleName: "m0")));
        var taken = new List<string>();
        for (var turn = 0; turn <= Others; turn++)
        {
            taken.AddRange(await Take(Given.Due(limit: 1)));
        }

        taken.Should().HaveCount(Others + 1).And.ContainSingle(id => id.StartsWith("hog", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Agents_with_a_backlog_each_take_turns()
    {
        const int Agents = 4;
        await Schedule(
            from number in Enumerable.Range(0, 50)
            from agent in Enumerable.Range(0, Agents)
            select Given.Task($"{agent} {number}", Given.LongAgo + (agent * 100) + number, agentId: $"agent {agent}", moduleName: $"m{number % 2}"));
        var taken = new List<string>();
        for (var batch = 0; batch < 40; batch++)
        {
            taken.AddRange(await Take(Given.Due(limit: 1)));
        }

        taken.CountBy(id => id[0]).Select(of => of.Value).Should().HaveCount(Agents).And.OnlyContain(count => count >= 5);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(100)]
    public async Task A_single_task_comes_within_one_batch_of_a_hog_and_of_one_who_schedules_into_the_past(int limit)
    {
        const int Rounds = 3;
        for (var number = 0; number < 10_000; number += 1_000)
        {
            await Schedule(Enumerable.Range(number, 1_000).Select(
                one => Given.Task($"hog {one}", Given.LongAgo + one, agentId: "hog", moduleName: $"m{one % 300}")));
        }

        var past = 0;
        for (var round = 0; round < Rounds; round++)
        {
            await SchedulePast();
            await Take(Given.Due(limit: limit));
            await Schedule([Given.Task($"single {round}", scheduledAt: 0, agentId: "single", moduleName: "m0")]);
            await SchedulePast();

            // One batch goes to each of the others at most.
            string[] taken = [.. await Take(Given.Due(limit: limit)), .. await Take(Given.Due(limit: limit)), .. await Take(Given.Due(limit: limit))];

            taken.Should().Contain($"single {round}").And.HaveCount(3 * limit);
        }

        Task SchedulePast() => Schedule(Enumerable.Range(0, 2 * limit).Select(
            _ => Given.Task($"past {++past}", Given.LongAgo - past, agentId: "past", moduleName: "m0")));
    }

    [Fact]
    public async Task An_agent_that_always_has_one_task_has_no_more_turns_than_the_others()
    {
        await Schedule(Enumerable.Range(0, 60).Select(number => Given.Task($"hog {number}", Given.LongAgo + number, agentId: "hog")));
        var taken = new List<string>();
        for (var round = 0; round < 20; round++)
        {
            await Schedule([Given.Task($"past {round}", Given.LongAgo - round, agentId: "past")]);
            taken.AddRange(await Take(Given.Due(limit: 1)));
        }

        taken.CountBy(id => id.Split(' ')[0]).Should().OnlyContain(agent => agent.Value == 10);
    }

    [Fact]
    public async Task A_batch_is_shared_equally_and_what_one_has_less_goes_to_those_after_it()
    {
        await Schedule(
            from agent in new[] { "a", "b", "c" }
            from number in Enumerable.Range(0, agent == "b" ? 2 : 50)
            select Given.Task($"{agent} {number}", Given.LongAgo + number, agentId: agent));

        var taken = await Take(Given.Due(limit: 30));

        taken.CountBy(id => id[0]).Should().BeEquivalentTo(
            new Dictionary<char, int> { ['a'] = 10, ['b'] = 2, ['c'] = 18 });
        taken.Where(id => id[0] == 'a').Should().Equal(Enumerable.Range(0, 10).Select(number => $"a {number}"));
    }

    private async Task Schedule(IEnumerable<ScheduleTask> tasks) =>
        (await Dbos.Send(new ScheduleTasks([.. tasks]))).Value.Should().OnlyContain(answer => !answer.IsRefused);

    private async Task<string[]> Take(ListDueTasks due) => [.. (await Dbos.Send(due)).Value.Select(task => task.Id)];
}

public sealed class TaskFairnessOnSqlite(SqliteEngine engine) : TaskFairnessTests(engine, partitions: 1), IClassFixture<SqliteEngine>;

public sealed class TaskFairnessOnRedis(RedisEngine engine) : TaskFairnessTests(engine, partitions: 1), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class TaskFairnessOnCluster(ClusterEngine engine) : TaskFairnessTests(engine, partitions: 1);
