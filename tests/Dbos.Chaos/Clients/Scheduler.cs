using System.Globalization;
using Dbos.Chaos.Histories;
using Google.Protobuf;

namespace Dbos.Chaos.Clients;

/// <summary>Schedules tasks, alone and in batches, calls some of them off, and gives dead letters another life or an end.</summary>
internal sealed class Scheduler(string name, Recorder recorder, Random random) : IClient
{
    private const int BatchSize = 10;
    private const int Agents = 5;

    private static readonly string[] Modules = ["ping", "traceroute"];

    private int scheduled;

    public Task Act() => random.Next(10) switch
    {
        < 2 => ScheduleBatch(),
        < 3 => Revive(),
        < 5 when scheduled > 0 => Cancel(Math.Max(1, scheduled - random.Next(2 * BatchSize))),
        _ => Schedule(),
    };

    private Task Schedule()
    {
        var request = new ScheduleTaskRequest { Task = NewTask() };
        var asked = Asked(Method.ScheduleTask, request.Task);
        return recorder.Write([asked], (dbos, options) => dbos.ScheduleTaskAsync(request, options), answer => [asked.Answered(answer)]);
    }

    private Task ScheduleBatch()
    {
        var request = new ScheduleTasksRequest { Tasks = { Enumerable.Range(0, BatchSize).Select(_ => NewTask()) } };
        Call[] asked = [.. request.Tasks.Select(task => Asked(Method.ScheduleTasks, task))];
        return recorder.Write(
            asked,
            (dbos, options) => dbos.ScheduleTasksAsync(request, options),
            answer => asked.Zip(answer.Answers, (each, its) => each.Answered(its)));
    }

    private Task Cancel(int number)
    {
        var request = new CancelTaskRequest { TaskId = TaskId(number), Reason = "called off" };
        var asked = recorder.Asked(Method.CancelTask, request.TaskId);
        return recorder.Write([asked], (dbos, options) => dbos.CancelTaskAsync(request, options), answer => [asked.Answered(answer)]);
    }

    /// <summary>The latest dead letter; others may be faster.</summary>
    private async Task Revive()
    {
        var found = await recorder.Replicas.Ask((dbos, options) => dbos.ListDeadLetterTasksAsync(new() { PageSize = 1 }, options));
        if (found.Tasks is not [{ Id: var id }])
        {
            return;
        }

        if (random.Next(4) == 0)
        {
            var asked = recorder.Asked(Method.DeleteDeadLetterTask, id);
            await recorder.Write([asked], (dbos, options) => dbos.DeleteDeadLetterTaskAsync(new() { TaskId = id }, options), answer => [asked.Answered(answer)]);
        }
        else
        {
            var asked = recorder.Asked(Method.RequeueDeadLetterTasks, id);
            await recorder.Write([asked], (dbos, options) => dbos.RequeueDeadLetterTasksAsync(new() { TaskIds = { id } }, options), answer => [asked.Answered(answer)]);
        }
    }

    private Call Asked(Method method, WireTask task) => recorder.Asked(method, task.Id, content: Content.Of(task));

    private string TaskId(int number) => string.Create(CultureInfo.InvariantCulture, $"{name}-{number}");

    private WireTask NewTask()
    {
        var id = TaskId(++scheduled);
        return new WireTask
        {
            Id = id,
            AgentId = string.Create(CultureInfo.InvariantCulture, $"agent-{random.Next(Agents)}"),
            ModuleName = Modules[random.Next(Modules.Length)],
            Payload = ByteString.CopyFromUtf8($"payload of {id}"),
            ScheduledAt = random.Next(2) == 0 ? 0 : DateTimeOffset.UtcNow.AddSeconds(random.Next(1, 5)).ToUnixTimeSeconds(),
            Priority = random.Next(3),
            MaxRetries = random.Next(1, 3),
        };
    }
}
