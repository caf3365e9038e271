using Dbos.Application.ModuleStates;
using Dbos.Application.Pipeline;
using Dbos.Application.Results;
using Dbos.Domain.Answers;
using Dbos.Domain.ModuleStates;
using Dbos.Domain.Results;
using Dbos.Domain.Tasks;
using FluentValidation;

namespace Dbos.Application.Tasks;

/// <summary>
/// The result and the state that a caller sends with the end of a delivery. Their ids may be left out: they are the task's. So may the
/// agent, where the task names one.
/// </summary>
public sealed record SentReport(MeasurementResult? Result, StateReport? State)
{
    private string AgentId => Result is { AgentId.Length: > 0 } ? Result.AgentId : State?.AgentId ?? string.Empty;

    /// <summary>The same whether the task's id was left out or not.</summary>
    internal ContentHash ContentOf(string taskId)
    {
        var result = Result is null ? default : new StoreResult(Result with { Id = taskId }).Content;
        var state = State is null ? default : (State with { RequestId = taskId }).Content;
        return new ContentHash.Builder().Add(Result?.AgentId ?? string.Empty).Add(result).Add(state).Build();
    }

    /// <summary>Fills in what was left out. The task is read only where the caller names no agent.</summary>
    internal async Task<Answer<DeliveryReport>> Complete(
        string taskId, ITaskRepository tasks, DbosPolicy policy, DateTimeOffset now, CancellationToken cancellation)
    {
        var agentId = AgentId;
        if (agentId.Length == 0)
        {
            if (await tasks.FindBare(taskId, cancellation) is not { } task)
            {
                return TaskNotFound.Refusal(taskId);
            }

            if (task.AgentId.Length == 0)
            {
                return new Refusal(RefusalCode.Validation, $"agent_id must be given in result or state, as task '{taskId}' names no agent");
            }

            agentId = task.AgentId;
        }

        return new DeliveryReport(
            agentId,
            Result is null ? null : StoreResult.Received(Result with { Id = taskId, AgentId = agentId }, policy, now),
            (State is null ? null : State with { RequestId = taskId, AgentId = agentId })?.ToReported(ExpectedVersions.Read(State!.Version)));
    }
}

internal static class SentReportRules
{
    public static void AcceptsResult<T>(
        this AbstractValidator<T> validator, Func<T, string> taskId, Func<T, MeasurementResult?> result, DbosPolicy policy)
    {
        validator.When(command => result(command) is not null, () =>
        {
            validator.RuleFor(command => result(command)!.Id).IsTheTask("result.id", taskId);
            validator.RuleFor(command => result(command)!.AgentId).IsIdOrEmpty("result.agent_id");
            validator.RuleFor(command => result(command)!).SetValidator(new StoreResult.Validator.Content(policy));
        });
    }

    /// <param name="allowed">Which states may be reported.</param>
    public static void AcceptsState<T>(
        this AbstractValidator<T> validator, Func<T, string> taskId, Func<T, StateReport?> state, IReadOnlyList<RunState> allowed)
    {
        validator.When(command => state(command) is not null, () =>
        {
            validator.RuleFor(command => state(command)!.RequestId).IsTheTask("state.request_id", taskId);
            validator.RuleFor(command => state(command)!.AgentId).IsIdOrEmpty("state.agent_id");
            validator.RuleFor(command => state(command)!).SetValidator(new SetModuleState.Validator.Content(_ => allowed));
        });
    }

    private static void IsTheTask<T>(this IRuleBuilder<T, string> rule, string field, Func<T, string> taskId) => rule
        .Must((command, id) => id.Length == 0 || id == taskId(command))
        .WithMessage((_, id) => Rules.Sentence(field, "must be empty or the task's id", id));
}
