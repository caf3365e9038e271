using Dbos.Application.Paging;
using Dbos.Application.Tasks;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;

namespace Dbos.Infrastructure.Tests.Tasks;

/// <summary>Lists of tasks, whole and by pages.</summary>
public abstract class TaskListTests(IEngine engine) : StoreTests(engine)
{
    /// <summary>In which a list of all of them goes.</summary>
    private static readonly string[] Statuses = ["pending", "inflight", "failed", "completed", "cancelled"];

    private static readonly TaskFilter[] Filters = [TaskFilter.Any, new("a1", ""), new("", "ping"), new("a2", "trace"), new("a3", "")];

    [Fact]
    public async Task Each_status_is_listed_by_agent_module_both_or_all_and_paged_through()
    {
        await FillEveryStatus();
        foreach (var status in Statuses)
        {
            foreach (var filter in Filters)
            {
                var whole = await All(status, filter, size: 0);

                whole.Should().NotContain(task => task.Status.Word() != status);
                whole.Select(task => task.Id).Should().BeEquivalentTo(Expected([status], filter));
                (await All(status, filter, size: 2)).Select(task => task.Id).Should().Equal(whole.Select(task => task.Id));
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(7)]
    [InlineData(100)]
    public async Task All_statuses_come_one_after_the_other_through_pages_of_any_size(int size)
    {
        await FillEveryStatus();
        foreach (var filter in Filters)
        {
            var listed = await All(string.Empty, filter, size);

            listed.Select(task => task.Id).Should().OnlyHaveUniqueItems().And.BeEquivalentTo(Expected(Statuses, filter));
            listed.Select(task => Array.IndexOf(Statuses, task.Status.Word())).Should().BeInAscendingOrder();
        }
    }

    [Fact]
    public async Task What_waits_comes_in_the_order_it_is_due_and_what_ended_latest_first()
    {
        await Dbos.SendAll([Given.Task("later", Given.LongAgo + 9), Given.Task("first", Given.LongAgo), Given.Task("urgent", Given.LongAgo + 20, priority: 9)]);
        (await All("pending", TaskFilter.Any, 0)).Select(task => task.Id).Should().Equal("urgent", "first", "later");

        foreach (var id in new[] { "urgent", "first", "later" })
        {
            await Dbos.Send(new CancelTask(id, string.Empty));
            var now = Dbos.Get<TimeProvider>().GetUtcNow();
            await Testing.Eventually.True(
                () => Dbos.Get<TimeProvider>().GetUtcNow() > now.AddMilliseconds(1), TimeSpan.FromSeconds(1), "a millisecond passes");
        }

        (await All("cancelled", TaskFilter.Any, 0)).Select(task => task.Id).Should().Equal("later", "first", "urgent");
    }

    [Fact]
    public async Task A_page_over_several_statuses_holds_no_more_than_a_reply_may()
    {
        const int MiB = 1024 * 1024;
        await Dbos.Send(Given.Task("cancelled", payload: new string('x', 2 * MiB)));
        await Dbos.Send(new CancelTask("cancelled", string.Empty));
        await Dbos.Send(Given.Task("inflight", payload: new string('x', 2 * MiB)));
        await Dbos.Send(Given.Due());
        await Dbos.Send(Given.Task("pending", payload: new string('x', 2 * MiB)));

        var listed = new List<string>();
        var token = string.Empty;
        do
        {
            var page = await List(string.Empty, TaskFilter.Any, new PageRequest(0, token));
            page.Items.Should().HaveCount(1, "two are more than 3 MiB");
            listed.Add(page.Items[0].Id);
            token = page.NextToken;
        }
        while (token.Length > 0);

        listed.Should().Equal("pending", "inflight", "cancelled");
    }

    private static IEnumerable<string> Expected(IEnumerable<string> statuses, TaskFilter filter) =>
        from status in statuses
        from agent in new[] { "a1", "a2" }
        from module in new[] { "ping", "trace" }
        where filter.Matches(agent, module)
        from number in Enumerable.Range(0, 2)
        select $"{status} {agent} {module} {number}";

    /// <summary>Eight of each, two of each agent's module.</summary>
    private async Task FillEveryStatus()
    {
        await Taken("completed");
        await Dbos.SendAll(Expected(["completed"], TaskFilter.Any).Select(id => new AckTask(id, LeaseToken: 0)));
        await Taken("failed");
        await Dbos.SendAll(Expected(["failed"], TaskFilter.Any).Select(id => Given.Nack(id: id, token: 0)));
        await Dbos.Send(Given.Due());
        await Dbos.SendAll(Expected(["failed"], TaskFilter.Any).Select(id => Given.Nack(id: id, token: 0)));
        await Schedule("cancelled");
        await Dbos.SendAll(Expected(["cancelled"], TaskFilter.Any).Select(id => new CancelTask(id, "no longer wanted")));
        await Taken("inflight");
        await Schedule("pending");
    }

    private async Task Taken(string status)
    {
        await Schedule(status);
        (await Dbos.Send(Given.Due())).Value.Should().HaveCount(8);
    }

    private Task Schedule(string status) => Dbos.SendAll(Expected([status], TaskFilter.Any).Select(id =>
    {
        var words = id.Split(' ');
        return Given.Task(id, agentId: words[1], moduleName: words[2], maxRetries: 1);
    }));

    private async Task<List<MeasurementTask>> All(string status, TaskFilter filter, int size)
    {
        var all = new List<MeasurementTask>();
        var token = string.Empty;
        do
        {
            var page = await List(status, filter, new PageRequest(size, token));
            token = page.NextToken;
            page.Items.Count.Should().BeInRange(token.Length > 0 ? 1 : 0, size == 0 ? PageRequest.MostItems : size);
            all.AddRange(page.Items);
        }
        while (token.Length > 0);

        return all;
    }

    private async Task<Page<MeasurementTask>> List(string status, TaskFilter filter, PageRequest page) =>
        (await Dbos.Send(new ListTasks(status, filter, page))).Value;
}

public sealed class TaskListOnSqlite(SqliteEngine engine) : TaskListTests(engine), IClassFixture<SqliteEngine>;

public sealed class TaskListOnRedis(RedisEngine engine) : TaskListTests(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class TaskListOnCluster(ClusterEngine engine) : TaskListTests(engine);
