using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using Dbos.Domain.Tasks;
using FluentValidation;
using MediatR;

namespace Dbos.Application.Tasks;

public sealed record GetTask(string TaskId) : IQuery<MeasurementTask>
{
    public string RefusedEvent => EventTypes.TaskReadError;

    public (string Name, string Value)[] Subject => [(AuditEvent.Names.TaskId, TaskId)];

    public sealed class Validator : AbstractValidator<GetTask>
    {
        public Validator() => RuleFor(query => query.TaskId).IsId("task_id");
    }

    public sealed class Handler(ITaskRepository tasks) : IRequestHandler<GetTask, Answer<MeasurementTask>>
    {
        public async Task<Answer<MeasurementTask>> Handle(GetTask query, CancellationToken cancellationToken) =>
            await tasks.Find(query.TaskId, cancellationToken) is { } task ? task : TaskNotFound.Refusal(query.TaskId);
    }
}
