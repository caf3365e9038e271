using Dbos.Chaos.Histories;

namespace Dbos.Chaos.Checking;

/// <summary>Answers for which something must have happened before, which the clients or the event log would know of.</summary>
internal static class CauseChecks
{
    /// <summary>By which a DBOS whose way to the store is slow may be wrong about the store's clock.</summary>
    private static readonly TimeSpan ClockError = TimeSpan.FromSeconds(1);

    public static IEnumerable<Violation> Check(IReadOnlyList<Call> calls, FinalState final)
    {
        var bySubject = calls.Where(call => call.Subject.Length > 0 && call.Method != Method.ListModuleStates).ToLookup(call => call.Subject);
        var released = final.Events.Where(told => told.Type == LoggedEvent.Released).ToHashSet();
        return from about in bySubject
               from sentence in ((IEnumerable<string>)[
                   .. Replays([.. about]),
                   .. LeasesLost([.. about], released),
                   .. StepsRefused([.. about.Where(call => call.Method == Method.SetModuleState)]),
               ])
               select new Violation(Promise.AnsweredWithoutCause, $"{about.Key}: {sentence}");
    }

    /// <summary>What is extended already is told as such too: by the delivery itself.</summary>
    private static IEnumerable<string> Replays(Call[] about) =>
        from replay in about
        where replay is { Duplicate: true, Method: not Method.ExtendTaskLease }
        where !about.Any(other => other != replay && IsAlike(other, replay) && MayBeDoneBefore(other, replay))
        select $"{replay.Method} was answered as a replay, and nobody had sent it";

    private static bool IsAlike(Call one, Call other) => one.IsAck ? other.IsAck && one.Number == other.Number : one.Method switch
    {
        Method.ScheduleTask or Method.ScheduleTasks => other.Method is Method.ScheduleTask or Method.ScheduleTasks,
        Method.NackTask => other.Method == Method.NackTask && one.Number == other.Number,
        Method.SetModuleState => other.Method == Method.SetModuleState && one.Content == other.Content,
        var method => other.Method == method,
    };

    /// <summary>A holder whose lease runs loses it only by a word about its delivery, or when DBOS takes it for undelivered.</summary>
    private static IEnumerable<string> LeasesLost(Call[] about, HashSet<LoggedEvent> released) =>
        from lost in about
        where lost is { Outcome: Outcome.Refused, Code: nameof(ErrorCode.LeaseLost) }
        where about.Any(held => held.IsDelivery && held.Client == lost.Client && held.Number == lost.Number && lost.Ended + ClockError < held.HeldUntil)
        where !released.Contains(new LoggedEvent(LoggedEvent.Released, lost.Subject, lost.Number))
        where !about.Any(other => other != lost && IsWordAbout(other, lost.Number) && MayBeDoneBefore(other, lost))
        select $"{lost.Method} of delivery {lost.Number} was refused as if its lease was lost, and it ran";

    private static bool IsWordAbout(Call word, long delivery) =>
        word.Method is Method.CancelTask or Method.RequeueDeadLetterTasks or Method.DeleteDeadLetterTask
        || ((word.IsAck || word.Method == Method.NackTask) && word.Number == delivery);

    /// <summary>A run's one reporter goes from step to step, each known to be done before the next.</summary>
    private static IEnumerable<string> StepsRefused(Call[] reports) =>
        from refused in reports
        where refused.Outcome == Outcome.Refused && reports.All(other => other.Client == refused.Client)
        where reports.Where(other => other.Ended < refused.Started).GroupBy(other => other.Content)
            .All(same => same.Key == refused.Content || same.Any(other => other.IsAcknowledged))
        select $"a step was refused ({refused.Code}), and every step before it was taken";

    private static bool MayBeDoneBefore(Call other, Call answered) => other.Outcome != Outcome.Refused && other.Started < answered.Ended;
}
