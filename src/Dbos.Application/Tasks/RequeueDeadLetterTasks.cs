using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using Dbos.Domain.Tasks;
using FluentValidation;
using MediatR;

namespace Dbos.Application.Tasks;

/// <summary>Dead letters back to the queue: those named, or all that match the filter.</summary>
/// <param name="All">Said by a caller that means all there are.</param>
public sealed record RequeueDeadLetterTasks(IReadOnlyList<string> TaskIds, TaskFilter Filter, bool All) : ICommand<Requeued>
{
    private const int Slice = 500;

    public string RefusedEvent => EventTypes.TaskRequeueError;

    public (string Name, string Value)[] Subject => Filter.Subject;

    public sealed class Validator : AbstractValidator<RequeueDeadLetterTasks>
    {
        public Validator()
        {
            ClassLevelCascadeMode = CascadeMode.Stop;
            RuleFor(command => command.TaskIds.Count).Must(count => count <= Rules.MostInBatch)
                .WithMessage((_, count) => Rules.Sentence("task_ids", $"must be at most {Rules.MostInBatch}", count));
            RuleForEach(command => command.TaskIds).IsId("task_ids");
            this.IsFilter(command => command.Filter);
            RuleFor(command => command)
                .Must(command => (command.TaskIds.Count > 0 ? 1 : 0) + (command.Filter.IsAny ? 0 : 1) + (command.All ? 1 : 0) == 1)
                .WithMessage("exactly one of task_ids, a filter (agent_id, module_name) and all must be given");
        }
    }

    public sealed class Handler(ITaskRepository tasks, CommitContext context)
        : IRequestHandler<RequeueDeadLetterTasks, Answer<Requeued>>
    {
        public async Task<Answer<Requeued>> Handle(RequeueDeadLetterTasks command, CancellationToken cancellationToken)
        {
            if (command.TaskIds.Count == 0)
            {
                return new Requeued(await RequeueMatching(command.Filter, cancellationToken), []);
            }

            var ids = command.TaskIds.Distinct().ToArray();
            var answers = await tasks.Requeue(ids, context.Origin, cancellationToken);
            return new Requeued(
                answers.Count(answer => answer is { IsRefused: false }),
                [.. ids.Where((_, i) => answers[i].IsRefused)]);
        }

        /// <summary>In slices, latest first: what dies while they are gone through stands before them and stays.</summary>
        private async Task<int> RequeueMatching(TaskFilter filter, CancellationToken cancellation)
        {
            var requeued = 0;
            var page = new PageRequest(Slice, string.Empty);
            while (true)
            {
                var dead = await tasks.List(MeasurementTaskStatus.Failed, filter, page, cancellation);
                var answers = await tasks.Requeue([.. dead.Items.Select(task => task.Id)], context.Origin, cancellation);
                requeued += answers.Count(answer => answer is { IsRefused: false });
                if (dead.Next is null)
                {
                    return requeued;
                }

                page = page with { Token = dead.NextToken };
            }
        }
    }
}

/// <param name="NotRequeued">Of the tasks named, those that are no dead letters.</param>
public sealed record Requeued(int Count, IReadOnlyList<string> NotRequeued);
