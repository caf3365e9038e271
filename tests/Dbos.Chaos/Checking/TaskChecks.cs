using Dbos.Chaos.Histories;

namespace Dbos.Chaos.Checking;

internal static class TaskChecks
{
    public static IEnumerable<Violation> Check(IReadOnlyList<Call> calls, FinalState final)
    {
        var listed = final.Tasks.ToLookup(task => task.Id);
        foreach (var said in calls.Where(call => call.IsAcknowledged && IsOfTask(call)).GroupBy(call => call.Subject))
        {
            var lost = listed[said.Key].ToArray() switch
            {
                [] => ["was acknowledged, and is not there"],
                [var task] => Lost(task, [.. said]),
                var several => [$"is listed {several.Length} times"],
            };
            foreach (var sentence in lost)
            {
                yield return new Violation(Promise.AcknowledgedWriteLost, $"task {said.Key} {sentence}");
            }
        }
    }

    private static bool IsOfTask(Call call) =>
        call.Subject.Length > 0 && call.Method is not (Method.RegisterAgent or Method.SetModuleState or Method.StoreResult);

    private static IEnumerable<string> Lost(WireTask task, Call[] said)
    {
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
        if (task.FailureCount < failures)
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
