using Dbos.Chaos.Histories;

namespace Dbos.Chaos.Checking;

internal static class TaskChecks
{
    public static IEnumerable<Violation> Check(IReadOnlyList<Call> calls, FinalState final)
    {
        var listed = final.Tasks.ToLookup(task => task.Id);
        var maybeDeleted = calls.Where(call => IsPossibly(call, Method.DeleteDeadLetterTask)).Select(call => call.Subject).ToHashSet();

        // The id of a deleted task is free again: a late copy of a call that was sent twice schedules it anew.
        var maybeRevived = calls
            .Where(call => call.Method is Method.ScheduleTask or Method.ScheduleTasks && call.Outcome == Outcome.Unknown && maybeDeleted.Contains(call.Subject))
            .Select(call => call.Subject)
            .ToHashSet();

        // It counts its failures anew.
        var maybeRequeued = calls.Where(call => IsPossibly(call, Method.RequeueDeadLetterTasks)).Select(call => call.Subject).Concat(maybeRevived).ToHashSet();
        foreach (var said in calls.Where(call => call.IsAcknowledged && IsOfTask(call)).GroupBy(call => call.Subject))
        {
            var lost = listed[said.Key].ToArray() switch
            {
                [] => maybeDeleted.Contains(said.Key) ? [] : ["was acknowledged, and is not there"],
                [var task] => Lost(task, [.. said], maybeRequeued.Contains(task.Id), maybeRevived.Contains(task.Id)),
                var several => [$"is listed {several.Length} times"],
            };
            foreach (var sentence in lost)
            {
                yield return new Violation(Promise.AcknowledgedWriteLost, $"task {said.Key} {sentence}");
            }
        }
    }

    private static bool IsOfTask(Call call) =>
        call.Subject.Length > 0 && call.Method is not (Method.RegisterAgent or Method.SetModuleState or Method.ListModuleStates or Method.StoreResult);

    private static bool IsPossibly(Call call, Method method) => call.Method == method && call.Outcome != Outcome.Refused;

    private static IEnumerable<string> Lost(WireTask task, Call[] said, bool maybeRequeued, bool maybeRevived)
    {
        if (said.Any(call => call.Method == Method.DeleteDeadLetterTask) && !maybeRevived)
        {
            yield return "was deleted, and is there";
        }

        if (said.Any(call => call.Method is Method.ScheduleTask or Method.ScheduleTasks && call.IsDone && call.Content != Content.Of(task)))
        {
            yield return "was scheduled as new, and has another payload";
        }

        foreach (var ack in said.Where(call => call.IsAck && (task.Status != "completed" || task.LeaseToken != call.Number)))
        {
            yield return $"was completed by delivery {ack.Number}, and is {task.Status} at delivery {task.LeaseToken}";
        }

        if (said.Any(call => call.Method == Method.CancelTask) && task.Status != "cancelled")
        {
            yield return $"was cancelled, and is {task.Status}";
        }

        var failures = said.Where(call => call.Method == Method.NackTask).Select(call => call.Number).Distinct().Count();
        if (task.FailureCount < failures && !maybeRequeued)
        {
            yield return $"failed {failures} times, and counts {task.FailureCount}";
        }

        var delivered = said.Where(call => call.IsDelivery).Select(call => call.Number).DefaultIfEmpty().Max();
        if (task.LeaseToken < delivered)
        {
            yield return $"was delivered as {delivered}, and is at delivery {task.LeaseToken}";
        }
    }
}
