using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using FluentValidation;
using MediatR;

namespace Dbos.Application.Tasks;

/// <summary>Delivers due tasks as they become due: what it answers is to be run for as long as the caller listens.</summary>
/// <param name="MaxInflight">0: one.</param>
/// <param name="VisibilityTimeoutSeconds">0: the configured lease duration.</param>
public sealed record StreamDueTasks(TaskFilter Filter, int MaxInflight, long VisibilityTimeoutSeconds) : ICommand<TaskFeed>
{
    public string RefusedEvent => EventTypes.TaskListError;

    public (string Name, string Value)[] Subject => Filter.Subject;

    public sealed class Validator : AbstractValidator<StreamDueTasks>
    {
        public Validator()
        {
            ClassLevelCascadeMode = CascadeMode.Stop;
            this.IsFilter(command => command.Filter);
            RuleFor(command => (long)command.MaxInflight).IsWithin("max_inflight", 0, ListDueTasks.MostTasks);
            RuleFor(command => command.VisibilityTimeoutSeconds).IsLeaseDuration("visibility_timeout_seconds");
        }
    }

    public sealed class Handler(
        ITaskRepository tasks, TaskGiveBack giveBack, TaskSignals signals, CommitContext work, DbosPolicy policy, TimeProvider clock)
        : IRequestHandler<StreamDueTasks, Answer<TaskFeed>>
    {
        public Task<Answer<TaskFeed>> Handle(StreamDueTasks command, CancellationToken cancellationToken)
        {
            var order = new TakeOrder(
                command.Filter, Due: null, Math.Max(1, command.MaxInflight), policy.LeaseOf(command.VisibilityTimeoutSeconds), ReportsEnds: true);
            return Task.FromResult<Answer<TaskFeed>>(new TaskFeed(order, tasks, giveBack, signals, work.Origin, clock));
        }
    }
}
