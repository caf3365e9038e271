using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using Dbos.Domain.Tasks;
using FluentValidation;
using MediatR;

namespace Dbos.Application.Tasks;

/// <summary>Many tasks at once, each answered by itself as <see cref="ScheduleTask"/> would.</summary>
public sealed record ScheduleTasks(IReadOnlyList<ScheduleTask> Writes) : IBatch<ScheduleTask>
{
    public string RefusedEvent => EventTypes.TaskScheduleError;

    public (string Name, string Value)[] Subject => [];

    public sealed class Validator : AbstractValidator<ScheduleTasks>
    {
        public Validator() => RuleFor(command => command.Writes).IsBatch("tasks");
    }

    public sealed class Handler(ITaskRepository tasks, BatchWriter<ScheduleTask> writer, DbosPolicy policy, TimeProvider clock)
        : IRequestHandler<ScheduleTasks, Answer<IReadOnlyList<Answer<Written>>>>
    {
        public Task<Answer<IReadOnlyList<Answer<Written>>>> Handle(ScheduleTasks command, CancellationToken cancellationToken)
        {
            var now = clock.GetUtcNow();
            return writer.Run(
                command,
                (schedule, context) => schedule.ToSchedule(context, policy, now),
                scheduling => tasks.Schedule(scheduling, cancellationToken),
                cancellationToken);
        }
    }
}
