using Dbos.Chaos.Histories;

namespace Dbos.Chaos.Checking;

internal static class EventChecks
{
    /// <summary>Of a replay too: the call that it repeats was done.</summary>
    public static IEnumerable<Violation> Check(IReadOnlyList<Call> calls, FinalState final)
    {
        var told = final.Events.ToHashSet();
        var subjects = final.Events.Select(told => told with { Number = 0 }).ToHashSet();
        return from call in calls
               where call.IsAcknowledged && call.Subject.Length > 0
               let due = EventOf(call)
               where due is not null && !(due.Number == 0 ? subjects : told).Contains(due)
               group call by due into missing
               select new Violation(Promise.EventMissing, Sentence(missing.Key, missing.First()));
    }

    /// <summary>Without a number where the call does not know it. Null: nothing is owed.</summary>
    private static LoggedEvent? EventOf(Call call) => call.Method switch
    {
        Method.RegisterAgent => new LoggedEvent("agent_registered", call.Subject, 0),
        Method.SetModuleState => new LoggedEvent(LoggedEvent.StateUpdated, call.Subject, call.Number),
        Method.StoreResult => new LoggedEvent(LoggedEvent.ResultStored, call.Subject, 0),
        Method.ScheduleTask or Method.ScheduleTasks => new LoggedEvent("task_scheduled", call.Subject, 0),
        Method.ListDueTasks or Method.StreamDueTasks => new LoggedEvent(LoggedEvent.Delivered, call.Subject, call.Number),
        Method.AckTask or Method.AckTasks => new LoggedEvent("task_acknowledged", call.Subject, call.Number),
        Method.NackTask => new LoggedEvent("task_nacked", call.Subject, call.Number),
        Method.RequeueDeadLetterTasks => new LoggedEvent("task_requeued", call.Subject, 0),
        Method.DeleteDeadLetterTask => new LoggedEvent("task_deleted", call.Subject, 0),
        Method.CancelTask => new LoggedEvent("task_cancelled", call.Subject, 0),

        // Extensions are counted, not logged.
        Method.ListModuleStates or Method.ExtendTaskLease => null,
        _ => throw new ArgumentOutOfRangeException(nameof(call), call.Method, "unknown"),
    };

    private static string Sentence(LoggedEvent due, Call call) =>
        $"{call.Method} of {call.Subject} was acknowledged, and there is no event {due.Type}{(due.Number > 0 ? $" of {due.Number}" : string.Empty)}";
}
