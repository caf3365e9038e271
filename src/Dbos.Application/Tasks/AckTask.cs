using Dbos.Application.ModuleStates;
using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using Dbos.Domain.ModuleStates;
using Dbos.Domain.Results;
using FluentValidation;
using MediatR;

namespace Dbos.Application.Tasks;

/// <param name="LeaseToken">Of the caller's delivery; 0: whichever is current.</param>
/// <param name="Result">What was measured; null: nothing is stored.</param>
/// <param name="State">The terminal state of the request; null: none is reported.</param>
public sealed record AckTask(string TaskId, long LeaseToken, MeasurementResult? Result = null, StateReport? State = null) : IWrite
{
    public string RefusedEvent => EventTypes.TaskAckError;

    public (string Name, string Value)[] Subject => [(AuditEvent.Names.TaskId, TaskId)];

    public string Repeated => Result is null ? nameof(AckTask) : $"the result of {nameof(AckTask)}";

    public ContentHash Content
    {
        get
        {
            var report = Report?.ContentOf(TaskId);
            var content = new ContentHash.Builder().Add(LeaseToken);
            return (report is { } hash ? content.Add(hash) : content).Build();
        }
    }

    /// <summary>Null: the task is acknowledged alone.</summary>
    internal SentReport? Report => Result is null && State is null ? null : new SentReport(Result, State);

    public sealed class Validator : AbstractValidator<AckTask>
    {
        public Validator(DbosPolicy policy)
        {
            ClassLevelCascadeMode = CascadeMode.Stop;
            RuleFor(command => command.TaskId).IsId("task_id");
            RuleFor(command => command.LeaseToken).IsWithin("lease_token", 0, long.MaxValue);
            this.AcceptsResult(command => command.TaskId, command => command.Result, policy);
            this.AcceptsState(command => command.TaskId, command => command.State, TransitionGraph.TerminalStates);
            RuleFor(command => command.State!.AgentId)
                .Must((command, agentId) => agentId.Length == 0 || command.Result!.AgentId.Length == 0 || agentId == command.Result.AgentId)
                .When(command => command is { State: not null, Result: not null })
                .WithMessage((_, agentId) => Rules.Sentence("state.agent_id", "must be empty or the result's agent_id", agentId));
        }
    }

    public sealed class Handler(AckWriter acks, CommitContext context) : IRequestHandler<AckTask, Answer<Written>>
    {
        public async Task<Answer<Written>> Handle(AckTask command, CancellationToken cancellationToken) =>
            (await acks.Write([(command, context)], cancellationToken))[0];
    }
}
