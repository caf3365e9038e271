using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Domain.Tasks;
using Dbos.Domain.Audit;
using FluentValidation;
using MediatR;

namespace Dbos.Application.Tasks;

/// <summary>Takes due tasks: what it answers is leased to the caller.</summary>
/// <param name="Timestamp">Unix seconds; 0: now.</param>
/// <param name="Limit">0: <see cref="DefaultLimit"/>.</param>
/// <param name="VisibilityTimeoutSeconds">0: the configured lease duration.</param>
public sealed record ListDueTasks(TaskFilter Filter, long Timestamp, int Limit, long VisibilityTimeoutSeconds)
    : ICommand<IReadOnlyList<MeasurementTask>>
{
    public const int DefaultLimit = 100;
    public const int MostTasks = 1_000;

    public string RefusedEvent => EventTypes.TaskListError;

    public (string Name, string Value)[] Subject => Filter.Subject;

    public sealed class Validator : AbstractValidator<ListDueTasks>
    {
        public Validator()
        {
            ClassLevelCascadeMode = CascadeMode.Stop;
            RuleFor(command => command.Timestamp).IsTime("timestamp");
            RuleFor(command => (long)command.Limit).IsWithin("limit", 0, MostTasks);
            RuleFor(command => command.VisibilityTimeoutSeconds).IsLeaseDuration("visibility_timeout_seconds");
            this.IsFilter(command => command.Filter);
        }
    }

    public sealed class Handler(ITaskRepository tasks, CommitContext context, DbosPolicy policy, TimeProvider clock)
        : IRequestHandler<ListDueTasks, Answer<IReadOnlyList<MeasurementTask>>>
    {
        public async Task<Answer<IReadOnlyList<MeasurementTask>>> Handle(ListDueTasks command, CancellationToken cancellationToken)
        {
            var limit = command.Limit > 0 ? command.Limit : DefaultLimit;
            var lease = policy.LeaseOf(command.VisibilityTimeoutSeconds);
            var taken = await tasks.Take(new TakeOrder(command.Filter, Due(command.Timestamp), limit, lease), context.Origin, cancellationToken);
            Spans.LinkToScheduling(taken);
            return Answers.Of(taken);
        }

        /// <summary>A caller names a second, which lasts to its end; the present one lasts until now.</summary>
        private DateTimeOffset? Due(long timestamp) =>
            timestamp == 0 || timestamp == clock.GetUtcNow().ToUnixTimeSeconds()
                ? null
                : DateTimeOffset.FromUnixTimeMilliseconds((timestamp * 1000) + 999);
    }
}
