using Dbos.Chaos.Histories;

namespace Dbos.Chaos.Clients;

/// <summary>What a reply says of the call that it answers.</summary>
internal static class Answers
{
    public static Call Answered(this Call asked, RegisterAgentResponse answer) => asked.Answered(answer.Success, answer.Code, answer.Duplicate);

    public static Call Answered(this Call asked, StoreResultResponse answer) => asked.Answered(answer.Success, answer.Code, answer.Duplicate);

    public static Call Answered(this Call asked, ScheduleTaskResponse answer) => asked.Answered(answer.Success, answer.Code, answer.Duplicate);

    public static Call Answered(this Call asked, AckTaskResponse answer) => asked.Answered(answer.Success, answer.Code, answer.Duplicate);

    public static Call Answered(this Call asked, NackTaskResponse answer) => asked.Answered(answer.Success, answer.Code, answer.Duplicate);

    public static Call Answered(this Call asked, CancelTaskResponse answer) => asked.Answered(answer.Success, answer.Code, answer.Duplicate);

    public static Call Answered(this Call asked, DeleteDeadLetterTaskResponse answer) => asked.Answered(answer.Success, answer.Code, answer.Duplicate);

    /// <summary>Of the one task that was asked for.</summary>
    public static Call Answered(this Call asked, RequeueDeadLetterTasksResponse answer) =>
        asked.Answered(answer.Success && answer.Requeued == 1, answer.Success ? ErrorCode.InvalidTransition : answer.Code, duplicate: false);

    public static Call Answered(this Call asked, ExtendTaskLeaseResponse answer) => asked.Answered(answer.Success, answer.Code, answer.Duplicate);

    /// <summary>A state's version is known only when it was answered.</summary>
    public static Call Answered(this Call asked, SetModuleStateResponse answer) =>
        asked.Answered(answer.Success, answer.Code, answer.Duplicate) with { Number = answer.Version };

    /// <summary>Of the one life that was asked for; version 0: there is none yet.</summary>
    public static Call Read(this Call asked, ListModuleStatesResponse answer) =>
        asked with { Outcome = Outcome.Acknowledged, Number = answer.States.FirstOrDefault()?.Version ?? 0 };

    private static Call Answered(this Call asked, bool success, ErrorCode code, bool duplicate) => asked with
    {
        Outcome = success ? Outcome.Acknowledged : Outcome.Refused,
        Code = success ? string.Empty : code.ToString(),
        Duplicate = duplicate,
    };
}
