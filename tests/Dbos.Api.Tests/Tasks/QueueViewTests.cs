using Dbos.Api.Tests.Support;

namespace Dbos.Api.Tests.Tasks;

/// <summary>ListTasks, GetQueueStats and CheckConsistency over a queue that holds tasks in each status.</summary>
public abstract class QueueViewTests(Deployment dbos)
{
    private static readonly string[] Statuses = ["pending", "inflight", "failed", "completed", "cancelled"];

    private readonly string agent = Requests.NewId("agent");

    [Fact]
    public async Task Tasks_are_listed_by_status_and_whose_they_are()
    {
        var ids = await FillQueue();

        foreach (var status in Statuses)
        {
            (await List(new ListTasksRequest { Status = status, AgentId = agent })).Should()
                .OnlyContain(task => task.Status == status).And.Subject.Select(task => task.Id).Should().Equal(ids[status]);
        }

        (await List(new ListTasksRequest { AgentId = agent })).Select(task => task.Id)
            .Should().Equal(Statuses.SelectMany(status => ids[status]));
        (await List(new ListTasksRequest { AgentId = agent, ModuleName = "trace" })).Should().BeEmpty();
        (await List(new ListTasksRequest { AgentId = agent, ModuleName = Requests.Module })).Should().HaveCount(ids.Sum(some => some.Value.Length));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public async Task Pages_over_all_statuses_bring_each_task_once(int size)
    {
        var ids = await FillQueue();
        var pages = new List<string>();
        var request = new ListTasksRequest { AgentId = agent, PageSize = size };
        do
        {
            var page = await dbos.Client.ListTasksAsync(request);
            (page.Error, page.Code).Should().Be((string.Empty, ErrorCode.None));
            page.Tasks.Count.Should().BeLessThanOrEqualTo(size);
            pages.AddRange(page.Tasks.Select(task => task.Id));
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        pages.Should().Equal(Statuses.SelectMany(status => ids[status]));
    }

    [Fact]
    public async Task Statistics_count_what_there_is_and_what_was_done()
    {
        var before = await dbos.Client.GetQueueStatsAsync(new GetQueueStatsRequest());
        var ids = await FillQueue();

        var stats = await dbos.Client.GetQueueStatsAsync(new GetQueueStatsRequest());

        stats.Error.Should().BeEmpty();
        (stats.Pending - before.Pending).Should().Be(ids["pending"].Length);
        (stats.Inflight - before.Inflight).Should().Be(ids["inflight"].Length);
        (stats.Failed - before.Failed).Should().Be(ids["failed"].Length);
        (stats.Completed - before.Completed).Should().Be(ids["completed"].Length);
        (stats.Cancelled - before.Cancelled).Should().Be(ids["cancelled"].Length);
        stats.Totals.ToDictionary(total => total.Key, total => total.Value - before.Totals[total.Key]).Should().BeEquivalentTo(
            new Dictionary<string, long>
            {
                ["scheduled"] = 10, ["delivered"] = 8, ["completed"] = 3, ["nacked"] = 3, ["dead_lettered"] = 1, ["cancelled"] = 2,
                ["lease_expired"] = 0, ["lease_extended"] = 0, ["released"] = 0, ["requeued"] = 0, ["deleted"] = 0, ["purged"] = 0, ["repaired"] = 0,
            });
        stats.ScheduledPerSecond.Should().BeGreaterThan(9.0 / 70);
        stats.CompletedPerSecond.Should().BeGreaterThan(1.0 / 70);
        stats.FailedPerSecond.Should().BeGreaterThan(2.0 / 70);
        stats.OldestPendingAgeSeconds.Should().BeInRange(100, 3_600, "the oldest of its tasks has been due for 100 s, and those of others for minutes");
    }

    [Fact]
    public async Task A_healthy_queue_is_consistent()
    {
        var ids = await FillQueue();
        using var call = dbos.Client.CheckConsistency(new CheckConsistencyRequest());
        var replies = new List<CheckConsistencyResponse>();
        while (await call.Next())
        {
            replies.Add(call.ResponseStream.Current);
        }

        replies.Should().OnlyContain(reply => reply.Error.Length == 0 && reply.Inconsistencies.Count == 0);
        replies.Select(reply => reply.Checked).Should().BeInAscendingOrder();
        replies[^1].Done.Should().BeTrue();
        replies[^1].Checked.Should().BeGreaterThanOrEqualTo(ids.Sum(some => some.Value.Length));
    }

    private async Task<IReadOnlyList<WireTask>> List(ListTasksRequest request)
    {
        var reply = await dbos.Client.ListTasksAsync(request);
        (reply.Error, reply.NextPageToken).Should().Be((string.Empty, string.Empty));
        return reply.Tasks;
    }

    /// <returns>Ids by status, in the order in which they are listed.</returns>
    private async Task<Dictionary<string, string[]>> FillQueue()
    {
        var cancelled = await dbos.Client.ScheduleSome(agent, 2);
        foreach (var task in cancelled)
        {
            await dbos.Client.CancelTaskAsync(new CancelTaskRequest { TaskId = task.Id });
            await Task.Delay(2);
        }

        var doomed = Requests.Task(Requests.NewId("task"), agent);
        doomed.MaxRetries = 1;
        await dbos.Client.Schedule(doomed);
        await Nack((await dbos.Client.Take(agent)).Single(), atOnce: true);
        await Nack((await dbos.Client.Take(agent)).Single(), atOnce: true);

        var completed = await dbos.Client.ScheduleSome(agent, 2);
        await dbos.Client.Take(agent);
        foreach (var task in completed)
        {
            await dbos.Client.AckTaskAsync(new AckTaskRequest { TaskId = task.Id });
            await Task.Delay(2);
        }

        await dbos.Client.ScheduleSome(agent, 4);
        var longest = (await dbos.Client.Take(agent, limit: 1, leaseSeconds: 600)).Single();
        var shorter = (await dbos.Client.Take(agent, limit: 1, leaseSeconds: 300)).Single();
        var rest = await dbos.Client.Take(agent, limit: 2);
        await Nack(rest[0], atOnce: false);
        await dbos.Client.AckTaskAsync(new AckTaskRequest { TaskId = rest[1].Id });

        var due = Requests.Task(Requests.NewId("task"), agent, DateTimeOffset.UtcNow.ToUnixTimeSeconds() - 100);
        await dbos.Client.Schedule(due);
        return new Dictionary<string, string[]>
        {
            ["pending"] = [due.Id, rest[0].Id],
            ["inflight"] = [shorter.Id, longest.Id],
            ["failed"] = [doomed.Id],
            ["completed"] = [rest[1].Id, completed[1].Id, completed[0].Id],
            ["cancelled"] = [cancelled[1].Id, cancelled[0].Id],
        };
    }

    private async Task Nack(WireTask held, bool atOnce)
    {
        var nack = new NackTaskRequest { TaskId = held.Id, LeaseToken = held.LeaseToken, RetryAtOnce = atOnce, RetryDelaySeconds = atOnce ? 0 : 3_600 };
        (await dbos.Client.NackTaskAsync(nack)).Success.Should().BeTrue();
    }
}

[Collection(SharedRedis.Name)]
public sealed class QueueViewOnRedis(SharedRedis dbos) : QueueViewTests(dbos);

[Collection(SharedCluster.Name)]
public sealed class QueueViewOnCluster(SharedCluster shared) : QueueViewTests(shared.Dbos);

[Collection(SharedEmbedded.Name)]
public sealed class QueueViewOnEmbedded(SharedEmbedded dbos) : QueueViewTests(dbos);
