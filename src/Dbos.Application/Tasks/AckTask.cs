using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using FluentValidation;
using MediatR;

namespace Dbos.Application.Tasks;

/// <param name="LeaseToken">Of the caller's delivery; 0: whichever is current.</param>
public sealed record AckTask(string TaskId, long LeaseToken) : IWrite
{
    public string RefusedEvent => EventTypes.TaskAckError;

    public (string Name, string Value)[] Subject => [(AuditEvent.Names.TaskId, TaskId)];

    public ContentHash Content => new ContentHash.Builder().Add(LeaseToken).Build();

    public sealed class Validator : AbstractValidator<AckTask>
    {
        public Validator()
        {
            ClassLevelCascadeMode = CascadeMode.Stop;
            RuleFor(command => command.TaskId).IsId("task_id");
            RuleFor(command => command.LeaseToken).IsWithin("lease_token", 0, long.MaxValue);
        }
    }

    public sealed class Handler(ITaskRepository tasks, CommitContext context) : IRequestHandler<AckTask, Answer<Written>>
    {
        public async Task<Answer<Written>> Handle(AckTask command, CancellationToken cancellationToken) =>
            (await tasks.Acknowledge([new(command.TaskId, command.LeaseToken, context)], cancellationToken))[0];
    }
}
