using System.Globalization;
using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using Dbos.Domain.Tasks;
using FluentValidation;
using MediatR;

namespace Dbos.Application.Tasks;

/// <param name="LeaseToken">Of the caller's delivery; 0: whichever is current.</param>
/// <param name="RetryDelaySeconds">0: as long as the backoff says.</param>
public sealed record NackTask(string TaskId, long RetryDelaySeconds, bool RetryAtOnce, long LeaseToken, string Reason) : IWrite
{
    private static readonly TimeSpan LongestDelay = TimeSpan.FromDays(30);

    public string RefusedEvent => EventTypes.TaskNackError;

    public (string Name, string Value)[] Subject => [(AuditEvent.Names.TaskId, TaskId)];

    public ContentHash Content => new ContentHash.Builder().Add(LeaseToken).Add(RetryDelaySeconds).Add(RetryAtOnce ? 1 : 0).Add(Reason).Build();

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
                .Must((command, delay) => delay == 0 || !command.RetryAtOnce)
                .WithMessage((_, delay) => Rules.Sentence("retry_delay_seconds", "must be 0 together with retry_at_once", delay));
        }
    }

    public sealed class Handler(ITaskRepository tasks, CommitContext context, DbosPolicy policy) : IRequestHandler<NackTask, Answer<Written>>
    {
        public Task<Answer<Written>> Handle(NackTask command, CancellationToken cancellationToken) => tasks.NegativelyAcknowledge(
            new(command.TaskId, command.LeaseToken, Delays(command), command.Reason, context), cancellationToken);

        private IReadOnlyList<TimeSpan> Delays(NackTask command) =>
            command.RetryAtOnce ? [TimeSpan.Zero]
            : command.RetryDelaySeconds > 0 ? [TimeSpan.FromSeconds(command.RetryDelaySeconds)]
            : policy.RetryBackoff.Delays(Random.Shared.NextDouble());
    }
}
