using System.Globalization;
using Dbos.Application.ModuleStates;
using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using Dbos.Domain.ModuleStates;
using Dbos.Domain.Tasks;
using FluentValidation;
using MediatR;

namespace Dbos.Application.Tasks;

/// <param name="LeaseToken">Of the caller's delivery; 0: whichever is current.</param>
/// <param name="RetryDelaySeconds">0: as long as the backoff says.</param>
/// <param name="DeadLetter">No retry.</param>
/// <param name="Release">Due again at once; nothing counts as a failure.</param>
/// <param name="State">Of the request; null: none is reported.</param>
public sealed record NackTask(
    string TaskId,
    long RetryDelaySeconds,
    bool RetryAtOnce,
    long LeaseToken,
    string Reason,
    bool DeadLetter = false,
    bool Release = false,
    StateReport? State = null) : IWrite
{
    private static readonly TimeSpan LongestDelay = TimeSpan.FromDays(30);

    public string RefusedEvent => EventTypes.TaskNackError;

    public (string Name, string Value)[] Subject => [(AuditEvent.Names.TaskId, TaskId)];

    public ContentHash Content
    {
        get
        {
            var report = Report?.ContentOf(TaskId) ?? default;
            var content = new ContentHash.Builder().Add(LeaseToken).Add(RetryDelaySeconds).Add(RetryAtOnce ? 1 : 0).Add(Reason);
            return (Kind == NackKind.Retry && Report is null ? content : content.Add((long)Kind).Add(report)).Build();
        }
    }

    private NackKind Kind => DeadLetter ? NackKind.DeadLetter : Release ? NackKind.Release : NackKind.Retry;

    private SentReport? Report => State is null ? null : new SentReport(Result: null, State);

    public sealed class Validator : AbstractValidator<NackTask>
    {
        public Validator()
        {
            ClassLevelCascadeMode = CascadeMode.Stop;
            RuleFor(command => command.TaskId).IsId("task_id");
            RuleFor(command => command.RetryDelaySeconds).IsWithin("retry_delay_seconds", 0, (long)LongestDelay.TotalSeconds);
            RuleFor(command => command.LeaseToken).IsWithin("lease_token", 0, long.MaxValue);
            RuleFor(command => command.Reason).IsReason("reason");
            RuleFor(command => command.RetryDelaySeconds)
                .Must((command, delay) => delay == 0 || WithoutDelay(command) is null)
                .WithMessage((command, delay) => Rules.Sentence("retry_delay_seconds", $"must be 0 together with {WithoutDelay(command)}", delay));
            RuleFor(command => command.DeadLetter)
                .Must((command, isDead) => !isDead || !(command.Release || command.RetryAtOnce))
                .WithMessage((command, isDead) => Rules.Sentence(
                    "dead_letter", $"must be false together with {(command.Release ? "release" : "retry_at_once")}", isDead));
            this.AcceptsState(command => command.TaskId, command => command.State, TransitionGraph.Request.States);
        }

        private static string? WithoutDelay(NackTask command) =>
            command.RetryAtOnce ? "retry_at_once" : command.DeadLetter ? "dead_letter" : command.Release ? "release" : null;
    }

    public sealed class Handler(ITaskRepository tasks, CommitContext context, DbosPolicy policy, TimeProvider clock)
        : IRequestHandler<NackTask, Answer<Written>>
    {
        public async Task<Answer<Written>> Handle(NackTask command, CancellationToken cancellationToken)
        {
            var nack = new NegativeAcknowledgement(command.TaskId, command.LeaseToken, Delays(command), command.Reason, context)
            {
                Kind = command.Kind,
            };
            if (command.Report is { } sent)
            {
                var report = await sent.Complete(command.TaskId, tasks, policy, clock.GetUtcNow(), cancellationToken);
                if (report.IsRefused)
                {
                    return report.Refusal;
                }

                nack = nack with { Report = report.Value };
            }

            return await tasks.NegativelyAcknowledge(nack, cancellationToken);
        }

        private IReadOnlyList<TimeSpan> Delays(NackTask command) =>
            command.RetryAtOnce || command.DeadLetter || command.Release ? [TimeSpan.Zero]
            : command.RetryDelaySeconds > 0 ? [TimeSpan.FromSeconds(command.RetryDelaySeconds)]
            : policy.RetryBackoff.Delays(Random.Shared.NextDouble());
    }
}
