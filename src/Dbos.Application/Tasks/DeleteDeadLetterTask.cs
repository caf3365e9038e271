using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using FluentValidation;
using MediatR;

namespace Dbos.Application.Tasks;

public sealed record DeleteDeadLetterTask(string TaskId) : IWrite
{
    public string RefusedEvent => EventTypes.TaskDeleteError;

    public (string Name, string Value)[] Subject => [(AuditEvent.Names.TaskId, TaskId)];

    public ContentHash Content => new ContentHash.Builder().Build();

    public sealed class Validator : AbstractValidator<DeleteDeadLetterTask>
    {
        public Validator() => RuleFor(command => command.TaskId).IsId("task_id");
    }

    public sealed class Handler(ITaskRepository tasks, CommitContext context) : IRequestHandler<DeleteDeadLetterTask, Answer<Written>>
    {
        public Task<Answer<Written>> Handle(DeleteDeadLetterTask command, CancellationToken cancellationToken) =>
            tasks.DeleteDeadLetter(command.TaskId, context, cancellationToken);
    }
}
