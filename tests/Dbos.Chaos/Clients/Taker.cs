using Dbos.Chaos.Histories;
using Google.Protobuf;

namespace Dbos.Chaos.Clients;

/// <summary>Works on what it takes, each delivery in one of the ways that workers have.</summary>
internal abstract class Taker(Recorder recorder, Random random) : IClient
{
    protected const int MostAtOnce = 5;
    protected const long LeaseSeconds = 3;

    private static readonly TimeSpan BetweenExtensions = TimeSpan.FromSeconds(LeaseSeconds / 3.0);
    private static readonly TimeSpan LongWork = TimeSpan.FromSeconds(LeaseSeconds + 2);

    private readonly List<Task> works = [];

    public abstract Task Act();

    public Task Settle() => Task.WhenAll(works);

    protected Recorder Recorder => recorder;

    protected IEnumerable<Call> Delivered(Method method, IEnumerable<WireTask> tasks) => tasks.Select(task =>
        recorder.Asked(method, task.Id, task.LeaseToken) with { Outcome = Outcome.Acknowledged, HeldUntil = recorder.History.At(task.VisibilityTime) });

    /// <summary>Nobody waits for the slow ones before more is taken.</summary>
    protected void Begin(IReadOnlyCollection<WireTask> tasks)
    {
        works.RemoveAll(work => work.IsCompletedSuccessfully);
        var byConduct = tasks.ToLookup(_ => random.Next(10));
        works.AddRange(byConduct.Where(some => some.Key < 5).SelectMany(some => some).Select(Acknowledge));
        works.AddRange(byConduct[5].Select(Fail));
        works.AddRange(byConduct[6].Select(WorkForLong));
        works.AddRange(byConduct[7].Select(ComeTooLate));

        // The eighth forgets its task.
        WireTask[] together = [.. byConduct[9]];
        if (together.Length > 0)
        {
            works.Add(AcknowledgeTogether(together));
        }
    }

    private Task Acknowledge(WireTask task)
    {
        var request = AckOf(task);
        var asked = Asked(Method.AckTask, request);
        return recorder.Write([asked], (dbos, options) => dbos.AckTaskAsync(request, options), answer => [asked.Answered(answer)]);
    }

    private Task AcknowledgeTogether(WireTask[] tasks)
    {
        var request = new AckTasksRequest { Acks = { tasks.Select(AckOf) } };
        Call[] asked = [.. request.Acks.Select(ack => Asked(Method.AckTasks, ack))];
        return recorder.Write(
            asked,
            (dbos, options) => dbos.AckTasksAsync(request, options),
            answer => asked.Zip(answer.Answers, (each, its) => each.Answered(its)));
    }

    private Task Fail(WireTask task)
    {
        var request = new NackTaskRequest { TaskId = task.Id, LeaseToken = task.LeaseToken, Reason = "it failed", RetryAtOnce = true };
        var asked = Asked(Method.NackTask, task);
        return recorder.Write([asked], (dbos, options) => dbos.NackTaskAsync(request, options), answer => [asked.Answered(answer)]);
    }

    private async Task WorkForLong(WireTask task)
    {
        var request = new ExtendTaskLeaseRequest { TaskId = task.Id, LeaseToken = task.LeaseToken, Seconds = LeaseSeconds };
        var asked = Asked(Method.ExtendTaskLease, task);
        for (var worked = TimeSpan.Zero; worked < LongWork; worked += BetweenExtensions)
        {
            await Task.Delay(BetweenExtensions);

            // Not again and again: each counts from its own now.
            var extended = await recorder.Try(
                [asked],
                (dbos, options) => dbos.ExtendTaskLeaseAsync(request, options),
                (answer, sent) => [asked.Answered(answer) with { HeldUntil = answer.Success ? sent + TimeSpan.FromSeconds(LeaseSeconds) : null }]);
            if (extended is { Success: false })
            {
                return;
            }
        }

        await Acknowledge(task);
    }

    private async Task ComeTooLate(WireTask task)
    {
        await Task.Delay(LongWork);
        await Acknowledge(task);
    }

    /// <summary>
    /// Every other delivery with what was measured. A task says the same at each of its deliveries, as its id may live again.
    /// </summary>
    private static AckTaskRequest AckOf(WireTask task)
    {
        var ack = new AckTaskRequest { TaskId = task.Id, LeaseToken = task.LeaseToken };
        if (task.LeaseToken % 2 == 0)
        {
            ack.Result = new MeasurementResult { AgentId = task.AgentId, ModuleName = task.ModuleName, Data = ByteString.CopyFromUtf8($"measured by {task.Id}") };
            ack.State = new ModuleState { ModuleName = task.ModuleName, State = "completed" };
        }

        return ack;
    }

    private Call Asked(Method method, AckTaskRequest ack) =>
        recorder.Asked(method, ack.TaskId, ack.LeaseToken, ack.Result is { } result ? Content.Of(result) : string.Empty);

    private Call Asked(Method method, WireTask task) => recorder.Asked(method, task.Id, task.LeaseToken);
}
