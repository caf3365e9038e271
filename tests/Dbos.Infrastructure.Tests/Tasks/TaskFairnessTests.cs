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

    private async Task Schedule(IEnumerable<ScheduleTask> tasks) =>
        (await Dbos.Send(new ScheduleTasks([.. tasks]))).Value.Should().OnlyContain(answer => !answer.IsRefused);

    private async Task<string[]> Take(ListDueTasks due) => [.. (await Dbos.Send(due)).Value.Select(task => task.Id)];
}

public sealed class TaskFairnessOnSqlite(SqliteEngine engine) : TaskFairnessTests(engine, partitions: 1), IClassFixture<SqliteEngine>;
