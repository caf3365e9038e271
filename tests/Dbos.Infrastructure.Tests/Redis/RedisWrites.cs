using Dbos.Application;
using Dbos.Application.Pipeline;
using Dbos.Application.Tasks;
using Dbos.Domain.Answers;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;

namespace Dbos.Infrastructure.Tests.Redis;

/// <summary>A write, the script that does it, and what must be there before.</summary>
/// <param name="Act">With an idempotency key, or without. Answers for each item: done, duplicate or refused.</param>
internal sealed record RedisWrite(string Script, Func<OpenStore, Task> Before, Func<OpenStore, string?, Task<string[]>> Act)
{
    private const string Id = "t1";
    private static readonly string[] Batch = ["t1", "t2", "t3"];
    private static readonly Origin Origin = new("test", "trace-1");

    /// <summary>Every write of every subject.</summary>
    public static readonly IReadOnlyDictionary<string, RedisWrite> All = new Dictionary<string, RedisWrite>
    {
        ["heartbeat"] = Of("change_agent", Nothing, _ => Given.Heartbeat()),
        ["state"] = Of("set_module_state", Nothing, _ => Given.State()),
        ["next state"] = Of("set_module_state", dbos => dbos.Send(Given.State(state: "started")), _ => Given.State()),
        ["life"] = Of("set_module_state", Nothing, _ => Given.State(string.Empty, "started")),
        ["result"] = Of("store_result", Nothing, _ => Given.Result()),
        ["schedule"] = Of("schedule_tasks", Nothing, _ => Given.Task()),
        ["schedule many"] = new("schedule_tasks", Nothing, async (dbos, _) =>
            Words((await dbos.Send(new ScheduleTasks([.. Batch.Select(id => Given.Task(id))]))).Value)),
        ["ack"] = Of("ack_tasks", Delivered, token => new AckTask(Id, token)),
        ["ack of any delivery"] = Of("ack_tasks", Delivered, _ => new AckTask(Id, LeaseToken: 0)),
        ["ack many"] = new("ack_tasks", ManyDelivered, async (dbos, _) =>
            Words((await dbos.Send(new AckTasks([.. Batch.Select(id => new AckTask(id, LeaseToken: 0))]))).Value)),
        ["ack with report"] = Of("ack_with_report", Delivered, token => Given.AckWith(token)),
        ["ack of any delivery with report"] = Of("ack_with_report", Delivered, _ => Given.AckWith(token: 0)),
        ["ack with a result that is stored"] = Of("ack_with_report", DeliveredWithResult, token => Given.AckWith(token)),
        ["ack with a state that is next"] = Of("ack_with_report", DeliveredWithState, token => Given.AckWith(token)),
        ["nack with state"] = Of("nack_task", Delivered, token => Given.Nack(delaySeconds: 60, token) with { State = Given.StateOf("error") }),
        ["nack without retry"] = Of("nack_task", Delivered, token => Given.Nack(delaySeconds: 60, token) with { RetryDelaySeconds = 0, DeadLetter = true }),
        ["release by holder"] = Of("nack_task", Delivered, token => Given.Nack(delaySeconds: 60, token) with { RetryDelaySeconds = 0, Release = true }),
        ["nack"] = Of("nack_task", Delivered, token => Given.Nack(delaySeconds: 60, token)),
        ["nack of any delivery"] = Of("nack_task", Delivered, _ => Given.Nack(delaySeconds: 60, token: 0)),
        ["dead letter"] = Of("nack_task", FailedOnce, token => Given.Nack(token: token)),
        ["extend"] = Of("extend_task_lease", Delivered, token => new ExtendTaskLease(Id, token, Seconds: 600)),
        ["cancel"] = Of("cancel_task", Delivered, _ => new CancelTask(Id, "no longer wanted")),
        ["cancel before delivery"] = Of("cancel_task", Scheduled, _ => new CancelTask(Id, "no longer wanted")),
        ["delete"] = Of("delete_dead_letter_task", Dead, _ => new DeleteDeadLetterTask(Id)),
        ["requeue"] = new("requeue_tasks", Dead, async (dbos, _) => Words(await dbos.Get<ITaskRepository>().Requeue([Id], Origin, default))),
        ["release"] = new("release_tasks", Delivered, async (dbos, _) =>
        {
            await dbos.Get<ITaskRepository>().Release([new TaskDelivery(Id, await TokenOf(dbos))], Origin, default);
            return [];
        }),
        ["expire"] = new("expire_leases", Expired, async (dbos, _) =>
        {
            await dbos.Get<ITaskRepository>().ExpireLeases(Origin, default);
            return [];
        }),
    };

    /// <summary>Stands in the request that runs the script, once the server knows it.</summary>
    public byte[] Pattern => System.Text.Encoding.ASCII.GetBytes(new Script(Script).Digest);

    public static Task Nothing(OpenStore dbos) => Task.CompletedTask;

    public static Task Scheduled(OpenStore dbos) => dbos.Send(Given.Task());

    public static async Task Delivered(OpenStore dbos)
    {
        await Scheduled(dbos);
        await dbos.Send(Given.Due());
    }

    private static async Task DeliveredWithResult(OpenStore dbos)
    {
        await Delivered(dbos);
        await dbos.Send(Given.Result(Id));
    }

    private static async Task DeliveredWithState(OpenStore dbos)
    {
        await Delivered(dbos);
        await dbos.Send(Given.State(Id));
    }

    public static async Task<long> TokenOf(OpenStore dbos) =>
        await dbos.Send(new GetTask(Id)) is { IsRefused: false } found ? found.Value.LeaseToken : 0;

    private static async Task ManyDelivered(OpenStore dbos)
    {
        await dbos.Send(new ScheduleTasks([.. Batch.Select(id => Given.Task(id))]));
        (await dbos.Send(Given.Due())).Value.Should().HaveCount(Batch.Length);
    }

    private static async Task FailedOnce(OpenStore dbos)
    {
        await dbos.Send(Given.Task(maxRetries: 1));
        await dbos.Send(Given.Due());
        await dbos.Send(Given.Nack(token: await TokenOf(dbos)));
        await dbos.Send(Given.Due());
    }

    private static async Task Dead(OpenStore dbos)
    {
        await FailedOnce(dbos);
        await dbos.Send(Given.Nack(token: await TokenOf(dbos)));
    }

    private static async Task Expired(OpenStore dbos)
    {
        await Scheduled(dbos);
        var order = new TakeOrder(TaskFilter.Any, Due: null, Limit: 1, TimeSpan.FromMilliseconds(1));
        (await dbos.Get<ITaskRepository>().Take(order, Origin, default)).Should().ContainSingle();
        await Task.Delay(20);
    }

    private static RedisWrite Of(string script, Func<OpenStore, Task> before, Func<long, IWrite> write) => new(script, before, async (dbos, key) =>
    {
        var needsToken = before != Nothing && before != Scheduled && script != "set_module_state";
        return Words([await dbos.Send(write(needsToken ? await TokenOf(dbos) : 0), key)]);
    });

    private static string[] Words(IReadOnlyList<Answer<Written>> answers) =>
        [.. answers.Select(answer => answer.IsRefused ? "refused" : answer.Value.Duplicate ? "duplicate" : "done")];
}
