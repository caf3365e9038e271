using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using FluentValidation;
using MediatR;

namespace Dbos.Application.Tasks;

public sealed record CancelTask(string TaskId, string Reason) : IWrite
{
    public string RefusedEvent => EventTypes.TaskCancelError;

    public (string Name, string Value)[] Subject => [(AuditEvent.Names.TaskId, TaskId)];

    public ContentHash Content => new ContentHash.Builder().Add(Reason).Build();

    public sealed class Validator : AbstractValidator<CancelTask>
    {
        public Validator()
        {
            ClassLevelCascadeMode = CascadeMode.Stop;
            RuleFor(command => command.TaskId).IsId("task_id");
            RuleFor(command => command.Reason).IsReason("reason");
        }
    }

    public sealed class Handler(ITaskRepository tasks, CommitContext context) : IRequestHandler<CancelTask, Answer<Written>>
    {
        public Task<Answer<Written>> Handle(CancelTask command, CancellationToken cancellationToken) =>
            tasks.Cancel(new(command.TaskId, command.Reason, context), cancellationToken);
    }
}
