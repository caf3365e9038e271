using Dbos.Api.Tests.Support;

namespace Dbos.Api.Tests.Tasks;

public abstract class DeadLetterTests(Deployment dbos)
{
    private readonly string agent = Requests.NewId("agent");
    private readonly List<long> failedLeases = [];

    [Fact]
    public async Task A_dead_letter_keeps_its_reason_its_last_error_and_its_history()
    {
        var id = await Bury();

        var dead = (await DeadLetters(agent)).Single();

        (dead.Id, dead.Status, dead.DeadLetterReason, dead.LastError).Should().Be((id, "failed", "max_retries", "failure 2"));
        (dead.FailureCount, dead.ExpiryCount, dead.RetryCount, dead.DeliveryCount).Should().Be((2, 0, 2, 2L));
        dead.History.Select(failure => (failure.LeaseToken, failure.Kind, failure.Error))
            .Should().Equal((failedLeases[0], "nack", "failure 1"), (failedLeases[1], "nack", "failure 2"));
        failedLeases.Should().BeInAscendingOrder().And.OnlyHaveUniqueItems();
        dead.EndedAt.Should().BePositive();
        (await dbos.Client.ReadEvents("task_dead_lettered", "task_id", id)).Should().ContainSingle();
    }

    [Fact]
    public async Task They_are_listed_latest_first_by_page_and_by_whose_they_are()
    {
        await Bury(module: "ping", agentId: Requests.NewId("agent"));
        string[] ids = [await Bury("ping"), await Bury("trace"), await Bury("ping")];

        var pages = new List<string[]>();
        var request = new ListDeadLetterTasksRequest { AgentId = agent, PageSize = 2 };
        do
        {
            var page = await dbos.Client.ListDeadLetterTasksAsync(request);
            pages.Add([.. page.Tasks.Select(task => task.Id)]);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        pages.Select(page => page.Length).Should().Equal(2, 1);
        pages.SelectMany(page => page).Should().Equal(ids.Reverse());
        (await DeadLetters(agent, "trace")).Select(task => task.Id).Should().Equal(ids[1]);
        (await DeadLetters("nobody")).Should().BeEmpty();
    }

    [Fact]
    public async Task Those_that_are_requeued_are_due_at_once_and_counted_anew()
    {
        string[] ids = [await Bury(), await Bury()];
        var pending = (await dbos.Client.ScheduleSome(agent)).Single().Id;
        (await dbos.Client.Take(agent)).Should().ContainSingle("dead letters are not delivered");

        var reply = await dbos.Client.RequeueDeadLetterTasksAsync(new RequeueDeadLetterTasksRequest { TaskIds = { ids[0], pending, "unknown" } });

        (reply.Success, reply.Requeued).Should().Be((true, 1), reply.Error);
        reply.NotRequeued.Should().Equal(pending, "unknown");
        (await DeadLetters(agent)).Select(task => task.Id).Should().Equal(ids[1]);
        var again = (await dbos.Client.Take(agent)).Should().ContainSingle().Subject;
        (again.Id, again.DeliveryCount, again.FailureCount, again.ExpiryCount, again.DeadLetterReason, again.EndedAt)
            .Should().Be((ids[0], 3, 0, 0, string.Empty, 0));
        again.History.Should().HaveCount(2, "its history is its own");
        again.LeaseToken.Should().BeGreaterThan(again.History[^1].LeaseToken);
    }

    [Fact]
    public async Task Those_that_match_are_requeued_and_others_stay()
    {
        string[] pings = [await Bury("ping"), await Bury("ping")];
        var trace = await Bury("trace");

        var matching = await dbos.Client.RequeueDeadLetterTasksAsync(new RequeueDeadLetterTasksRequest { AgentId = agent, ModuleName = "ping" });

        matching.Requeued.Should().Be(2);
        (await DeadLetters(agent)).Select(task => task.Id).Should().Equal(trace);
        (await dbos.Client.RequeueDeadLetterTasksAsync(new RequeueDeadLetterTasksRequest { All = true })).Requeued.Should().BePositive();
        (await dbos.Client.ListDeadLetterTasksAsync(new ListDeadLetterTasksRequest())).Tasks.Should().BeEmpty();
        (await dbos.Client.Take(agent)).Select(task => task.Id).Should().BeEquivalentTo([.. pings, trace]);
    }

    [Fact]
    public async Task One_that_is_deleted_is_gone_and_told_of()
    {
        var deleted = await dbos.Client.Total("deleted");
        var id = await Bury();
        var request = new DeleteDeadLetterTaskRequest { TaskId = id };

        (await dbos.Client.DeleteDeadLetterTaskAsync(request)).Success.Should().BeTrue();

        (await dbos.Client.GetTaskAsync(new GetTaskRequest { TaskId = id })).Found.Should().BeFalse();
        (await DeadLetters(agent)).Should().BeEmpty();
        (await dbos.Client.Total("deleted") - deleted).Should().Be(1);
        (await dbos.Client.ReadEvents("task_deleted", "task_id", id)).Should().ContainSingle();
        (await dbos.Client.DeleteDeadLetterTaskAsync(request)).Code.Should().Be(ErrorCode.NotFound);
        var pending = (await dbos.Client.ScheduleSome(agent)).Single().Id;
        (await dbos.Client.DeleteDeadLetterTaskAsync(new DeleteDeadLetterTaskRequest { TaskId = pending })).Code
            .Should().Be(ErrorCode.InvalidTransition);
    }

    private async Task<IReadOnlyList<WireTask>> DeadLetters(string agentId, string module = "")
    {
        var reply = await dbos.Client.ListDeadLetterTasksAsync(new ListDeadLetterTasksRequest { AgentId = agentId, ModuleName = module });
        reply.Error.Should().BeEmpty();
        return reply.Tasks;
    }

    /// <summary>Schedules a task that may fail once, and fails at it twice.</summary>
    private async Task<string> Bury(string module = Requests.Module, string? agentId = null)
    {
        var task = Requests.Task(Requests.NewId("task"), agentId ?? agent);
        (task.ModuleName, task.MaxRetries) = (module, 1);
        await dbos.Client.Schedule(task);
        for (var failure = 1; failure <= 2; failure++)
        {
            var held = (await dbos.Client.Take(task.AgentId)).Single();
            failedLeases.Add(held.LeaseToken);
            var nack = new NackTaskRequest { TaskId = held.Id, LeaseToken = held.LeaseToken, RetryAtOnce = true, Reason = $"failure {failure}" };
            (await dbos.Client.NackTaskAsync(nack)).Success.Should().BeTrue();
        }

        return task.Id;
    }
}

[Collection(SharedRedis.Name)]
public sealed class DeadLettersOnRedis(SharedRedis dbos) : DeadLetterTests(dbos);

[Collection(SharedCluster.Name)]
public sealed class DeadLettersOnCluster(SharedCluster shared) : DeadLetterTests(shared.Dbos);

[Collection(SharedEmbedded.Name)]
public sealed class DeadLettersOnEmbedded(SharedEmbedded dbos) : DeadLetterTests(dbos);
