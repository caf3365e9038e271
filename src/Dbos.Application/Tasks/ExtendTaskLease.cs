using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using FluentValidation;
using MediatR;

namespace Dbos.Application.Tasks;

/// <param name="LeaseToken">Of the caller's delivery.</param>
/// <param name="Seconds">From now; 0: the configured lease duration.</param>
public sealed record ExtendTaskLease(string TaskId, long LeaseToken, long Seconds) : IWrite
{
    public string RefusedEvent => EventTypes.TaskExtendError;

    public (string Name, string Value)[] Subject => [(AuditEvent.Names.TaskId, TaskId)];

    public ContentHash Content => new ContentHash.Builder().Add(LeaseToken).Add(Seconds).Build();

    public sealed class Validator : AbstractValidator<ExtendTaskLease>
    {
        public Validator()
        {
            ClassLevelCascadeMode = CascadeMode.Stop;
            RuleFor(command => command.TaskId).IsId("task_id");
            RuleFor(command => command.LeaseToken).IsWithin("lease_token", 1, long.MaxValue);
            RuleFor(command => command.Seconds).IsLeaseDuration("seconds");
        }
    }

    public sealed class Handler(ITaskRepository tasks, CommitContext context, DbosPolicy policy)
        : IRequestHandler<ExtendTaskLease, Answer<Written>>
    {
        public Task<Answer<Written>> Handle(ExtendTaskLease command, CancellationToken cancellationToken) => tasks.ExtendLease(
            new(command.TaskId, command.LeaseToken, policy.LeaseOf(command.Seconds), context), cancellationToken);
    }
}
