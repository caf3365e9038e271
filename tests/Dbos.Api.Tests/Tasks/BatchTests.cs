using Dbos.Api.Tests.Support;

namespace Dbos.Api.Tests.Tasks;

public abstract class BatchTests(Deployment dbos)
{
    private const int Most = 1_000;

    /// <summary>One of so many is bad.</summary>
    private const int Bad = 10;

    private readonly string agent = Requests.NewId("agent");

    [Fact]
    public async Task Of_1000_tasks_each_has_its_own_answer()
    {
        var tasks = NewTasks();
        foreach (var bad in tasks.Where((_, i) => i % Bad == 0))
        {
            bad.Priority = 10;
        }

        var first = await ScheduleTasks(tasks);
        var again = await ScheduleTasks(tasks);

        foreach (var reply in (ScheduleTasksResponse[])[first, again])
        {
            reply.Answers.Should().HaveCount(Most);
            reply.Answers.Where((_, i) => i % Bad == 0).Should().OnlyContain(
                answer => !answer.Success && answer.Code == ErrorCode.Validation && answer.Error.StartsWith("task.priority must be "));
            reply.Answers.Where((_, i) => i % Bad != 0).Should().OnlyContain(answer => answer.Success && answer.Duplicate == (reply == again));
        }

        (await dbos.Client.TasksOf(agent)).Select(task => task.Id)
            .Should().BeEquivalentTo(tasks.Where(task => task.Priority == 0).Select(task => task.Id));
    }

    [Fact]
    public async Task Of_1000_acks_each_has_its_own_answer()
    {
        var tasks = NewTasks();
        await ScheduleTasks(tasks);
        var held = await dbos.Client.Take(agent, Most);
        var acks = held.Select((task, i) => new AckTaskRequest { TaskId = task.Id, LeaseToken = i % Bad == 0 ? task.LeaseToken + 1 : task.LeaseToken }).ToArray();

        var first = await AckTasks(acks);
        var again = await AckTasks(acks);

        foreach (var reply in (AckTasksResponse[])[first, again])
        {
            reply.Answers.Should().HaveCount(Most);
            reply.Answers.Where((_, i) => i % Bad == 0).Should().OnlyContain(answer => !answer.Success && answer.Code == ErrorCode.LeaseLost);
            reply.Answers.Where((_, i) => i % Bad != 0).Should().OnlyContain(answer => answer.Success && answer.Duplicate == (reply == again));
        }

        (await dbos.Client.TasksOf(agent, "completed")).Should().HaveCount(Most - (Most / Bad));
        (await dbos.Client.TasksOf(agent, "inflight")).Should().HaveCount(Most / Bad);
    }

    [Fact]
    public async Task One_task_twice_in_a_batch_is_one_task_and_one_ack()
    {
        var task = Requests.Task(Requests.NewId("task"), agent);

        (await ScheduleTasks(task, task)).Answers.Select(answer => (answer.Success, answer.Duplicate))
            .Should().BeEquivalentTo([(true, false), (true, true)]);
        var held = (await dbos.Client.Take(agent)).Should().ContainSingle().Subject;
        var ack = new AckTaskRequest { TaskId = held.Id, LeaseToken = held.LeaseToken };
        (await AckTasks(ack, ack)).Answers.Select(answer => (answer.Success, answer.Duplicate))
            .Should().BeEquivalentTo([(true, false), (true, true)]);
    }

    private WireTask[] NewTasks() => [.. Enumerable.Range(0, Most).Select(_ => Requests.Task(Requests.NewId("task"), agent))];

    private async Task<ScheduleTasksResponse> ScheduleTasks(params WireTask[] tasks)
    {
        var reply = await dbos.Client.ScheduleTasksAsync(new ScheduleTasksRequest { Tasks = { tasks } });
        reply.Success.Should().BeTrue(reply.Error);
        return reply;
    }

    private async Task<AckTasksResponse> AckTasks(params AckTaskRequest[] acks)
    {
        var reply = await dbos.Servers[^1].Client.AckTasksAsync(new AckTasksRequest { Acks = { acks } });
        reply.Success.Should().BeTrue(reply.Error);
        return reply;
    }
}

[Collection(SharedRedis.Name)]
public sealed class BatchesOnRedis(SharedRedis dbos) : BatchTests(dbos);

[Collection(SharedCluster.Name)]
public sealed class BatchesOnCluster(SharedCluster shared) : BatchTests(shared.Dbos);

[Collection(SharedEmbedded.Name)]
public sealed class BatchesOnEmbedded(SharedEmbedded dbos) : BatchTests(dbos);
