using Dbos.Chaos.Checking;
using Dbos.Chaos.Histories;
using Google.Protobuf;

namespace Dbos.Chaos.Tests;

/// <summary>
/// A history made by hand, with what DBOS has at its end. Each call takes 0.2 s and leaves what it has to;
/// tests then plant a fault.
/// </summary>
internal sealed class Story
{
    public const string AgentId = "agent";
    public const string ModuleName = "ping";
    public const string TaskId = "task";
    public const string RequestId = "request";
    public const string ResultId = "result";

    public static readonly string ResultSubject = Subjects.OfResult(AgentId, ResultId);

    public List<Call> Calls { get; } = [];

    public List<Agent> Agents { get; } = [];

    public List<ModuleState> States { get; } = [];

    public List<MeasurementResult> Results { get; } = [];

    public List<WireTask> Tasks { get; } = [];

    public List<LoggedEvent> Events { get; } = [];

    public List<string> Inconsistencies { get; } = [];

    public WireTask Task => Tasks[0];

    /// <summary>Everything once, all of it acknowledged and kept.</summary>
    public static Story Clean()
    {
        var story = new Story();
        story.Heartbeat(1, heartbeats: 7);
        story.Store(2, "data");
        story.Report(3, "created", version: 1);
        story.Report(4, "started", version: 2);
        story.Schedule(5);
        story.Deliver(6, "taker-1", token: 1, seconds: 10);
        story.Nack(7, "taker-1", token: 1);
        story.Deliver(8, "taker-2", token: 2, seconds: 2);
        story.Extend(9, "taker-2", token: 2, seconds: 5);
        story.Ack(10, "taker-2", token: 2);
        return story;
    }

    public IReadOnlyList<Violation> Check() => Checker.Check(Calls, new FinalState(Agents, States, Results, Tasks, Events, Inconsistencies));

    public Call Heartbeat(double at, int heartbeats)
    {
        Agents.Add(new Agent { Id = AgentId, TotalHeartbeats = heartbeats });
        Events.Add(new LoggedEvent("agent_registered", AgentId, 0));
        return Add(NewCall(at, "agent", Method.RegisterAgent, AgentId) with { Number = heartbeats });
    }

    public Call Store(double at, string data)
    {
        var result = new MeasurementResult { Id = ResultId, AgentId = AgentId, Data = ByteString.CopyFromUtf8(data) };
        Results.Add(result);
        Events.Add(new LoggedEvent("result_stored", ResultSubject, 0));
        return Add(NewCall(at, "agent", Method.StoreResult, ResultSubject) with { Content = Content.Of(result) });
    }

    public Call Report(double at, string word, long version)
    {
        var state = new ModuleState { RequestId = RequestId, AgentId = AgentId, ModuleName = ModuleName, State = word, Version = version };
        States.Clear();
        States.Add(state);
        Events.Add(new LoggedEvent("module_state_updated", RequestId, version));
        return Add(NewCall(at, "agent", Method.SetModuleState, RequestId) with { Number = version, Content = Content.Of(state) });
    }

    public Call Schedule(double at)
    {
        Tasks.Add(new WireTask { Id = TaskId, Status = "pending", Payload = ByteString.CopyFromUtf8("payload") });
        Events.Add(new LoggedEvent("task_scheduled", TaskId, 0));
        return Add(NewCall(at, "scheduler", Method.ScheduleTask, TaskId) with { Content = Content.Of(Task) });
    }

    public Call Deliver(double at, string taker, long token, double seconds)
    {
        (Task.Status, Task.LeaseToken) = ("inflight", token);
        Events.Add(new LoggedEvent("tasks_retrieved", TaskId, token));
        return Say(at, taker, Method.ListDueTasks, token, heldFor: seconds);
    }

    public Call Nack(double at, string taker, long token)
    {
        Task.Status = "pending";
        Task.FailureCount++;
        Events.Add(new LoggedEvent("task_nacked", TaskId, token));
        return Say(at, taker, Method.NackTask, token);
    }

    public Call Extend(double at, string taker, long token, double seconds) =>
        Say(at, taker, Method.ExtendTaskLease, token, heldFor: seconds);

    public Call Ack(double at, string taker, long token)
    {
        (Task.Status, Task.LeaseToken) = ("completed", token);
        Events.Add(new LoggedEvent("task_acknowledged", TaskId, token));
        return Say(at, taker, Method.AckTask, token);
    }

    /// <summary>With a result and a state under the task's id.</summary>
    public Call AckWith(double at, string taker, long token, string data)
    {
        var result = new MeasurementResult { Id = TaskId, AgentId = AgentId, Data = ByteString.CopyFromUtf8(data) };
        Results.Add(result);
        States.Add(new ModuleState { RequestId = TaskId, AgentId = AgentId, ModuleName = ModuleName, State = "completed", Version = 1 });
        Events.Add(new LoggedEvent("result_stored", Subjects.Of(result), 0));
        Events.Add(new LoggedEvent("module_state_updated", TaskId, 1));
        var ack = Ack(at, taker, token);
        Change(ack, call => call with { Content = Content.Of(result) });
        return Calls[^1];
    }

    /// <summary>A call about the task, acknowledged, that leaves nothing.</summary>
    public Call Say(double at, string taker, Method method, long token, double? heldFor = null) => Add(
        NewCall(at, taker, method, TaskId) with { Number = token, HeldUntil = heldFor is { } seconds ? Seconds(at + seconds) : null });

    public Call Add(Call call)
    {
        Calls.Add(call);
        return call;
    }

    public void Change(Call call, Func<Call, Call> change) => Calls[Calls.IndexOf(call)] = change(call);

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    private Call NewCall(double at, string client, Method method, string subject) =>
        new(Calls.Count, client, method, subject, Seconds(at), Seconds(at + 0.2), Outcome.Acknowledged);
}
