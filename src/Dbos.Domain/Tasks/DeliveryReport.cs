using Dbos.Domain.Answers;
using Dbos.Domain.ModuleStates;
using Dbos.Domain.Results;

namespace Dbos.Domain.Tasks;

/// <summary>
/// What the holder of a delivery reports with its acknowledgement or negative acknowledgement. The end of the delivery, the result and the
/// state are one commit: all of them, or none.
/// </summary>
/// <param name="AgentId">Whose result and state it is.</param>
/// <param name="Result">Its id is the task's; null: none is reported.</param>
/// <param name="State">Its request id is the task's; null: none is reported.</param>
public sealed record DeliveryReport(string AgentId, MeasurementResult? Result, ReportedState? State)
{
    /// <summary>Decides on the whole. A refusal of one part refuses all of them, and the lease stays as it is.</summary>
    /// <param name="task">As it is stored.</param>
    /// <param name="ended">What the task's life says of the end of the delivery.</param>
    /// <param name="storedResult">What is stored under the ids of the result.</param>
    /// <param name="storedState">Of the task's id on this agent; null: nothing is stored.</param>
    /// <returns>A replay only if every reported part is stored with the same content.</returns>
    public Answer<DeliveryEnd> End(
        MeasurementTask task, Answer<Decision<MeasurementTask>> ended, KnownResult storedResult, ModuleState? storedState, DateTimeOffset now)
    {
        if (ended.IsRefused)
        {
            return ended.Refusal;
        }

        if (task.AgentId.Length > 0 && task.AgentId != AgentId)
        {
            return new Refusal(RefusalCode.OwnerMismatch, $"task '{task.Id}' is for agent '{task.AgentId}', not for agent '{AgentId}'");
        }

        var isReplay = ended.Value.IsReplay;
        if (isReplay && Result is not null && storedResult != KnownResult.Same)
        {
            return new Refusal(
                RefusalCode.InvalidTransition,
                $"task '{task.Id}' ended before, {(storedResult == KnownResult.None ? "without this result" : "and another result is stored")}");
        }

        Decision<ModuleState>? state = null;
        if (State is not null)
        {
            var reported = ModuleState.Report(storedState, State, now);
            if (reported.IsRefused)
            {
                return reported.Refusal;
            }

            if (isReplay && !reported.Value.IsReplay)
            {
                return new Refusal(RefusalCode.InvalidTransition, $"task '{task.Id}' ended before, without this state");
            }

            state = reported.Value;
        }

        return new DeliveryEnd(
            ended.Value,
            Result is not null && storedResult == KnownResult.None ? MeasurementResult.Store(stored: null, Result) : null,
            state is { IsReplay: false } ? state : null,
            ResultDiffers: Result is not null && storedResult == KnownResult.Other);
    }
}

/// <summary>What is stored under the ids of a reported result.</summary>
public enum KnownResult
{
    None,

    /// <summary>A result with the same data.</summary>
    Same,

    /// <summary>A result with other data, which is kept.</summary>
    Other,
}

/// <summary>What is written when a delivery ends with a report.</summary>
/// <param name="Result">Null: nothing is written, as none was reported or one is stored.</param>
/// <param name="State">Null: nothing is written, as none was reported or it is what is stored.</param>
/// <param name="ResultDiffers">Other data are stored, and kept.</param>
public sealed record DeliveryEnd(
    Decision<MeasurementTask> Task, Decision<MeasurementResult>? Result, Decision<ModuleState>? State, bool ResultDiffers);
