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
    private const int Slice = 100;

    private static readonly DeadLetterCount None = new(0, IsComplete: true);

    /// <summary>For one call by filter; with an earlier deadline it is shorter.</summary>
    private static readonly TimeSpan LongestRun = TimeSpan.FromSeconds(10);

    /// <summary>Before the deadline, for counting what is left and for the reply.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromMilliseconds(500);

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

    public sealed class Handler(ITaskRepository tasks, CommitContext context, CallContext call, TimeProvider clock)
        : IRequestHandler<RequeueDeadLetterTasks, Answer<Requeued>>
    {
        public async Task<Answer<Requeued>> Handle(RequeueDeadLetterTasks command, CancellationToken cancellationToken)
        {
            if (command.TaskIds.Count == 0)
            {
                return await RequeueMatching(command.Filter, cancellationToken);
            }

            var ids = command.TaskIds.Distinct().ToArray();
            var answers = await tasks.Requeue(ids, context.Origin, cancellationToken);
            return new Requeued(
                answers.Count(answer => answer is { IsRefused: false }),
                [.. ids.Where((_, i) => answers[i].IsRefused)],
                None);
        }

        /// <summary>In slices, latest first: what dies while they are gone through stands before them and stays.</summary>
        private async Task<Requeued> RequeueMatching(TaskFilter filter, CancellationToken cancellation)
        {
            var (since, until) = (clock.GetTimestamp(), LongestRun);
            if (call.TimeLeft is { } left && left < LongestRun + Margin)
            {
                // A quarter of a deadline that is very short.
                until = left - (left < 4 * Margin ? left / 4 : Margin);
            }

            var requeued = 0;
            var longest = TimeSpan.Zero;
            var page = new PageRequest(Slice, string.Empty);
            while (true)
            {
                var begun = clock.GetElapsedTime(since);
                var dead = await tasks.List(MeasurementTaskStatus.Failed, filter, page, cancellation);
                var answers = await tasks.Requeue([.. dead.Items.Select(task => task.Id)], context.Origin, cancellation);
                requeued += answers.Count(answer => answer is { IsRefused: false });
                if (dead.Next is null)
                {
                    return new Requeued(requeued, [], None);
                }

                // A store that is slow or far away must not make the next slice too late.
                var now = clock.GetElapsedTime(since);
                longest = longest > now - begun ? longest : now - begun;
                if (now + longest >= until)
                {
                    return new Requeued(requeued, [], await tasks.CountDeadLetters(filter, cancellation));
                }

                page = page with { Token = dead.NextToken };
            }
        }
    }
}

/// <param name="NotRequeued">Of the tasks named, those that are no dead letters.</param>
/// <param name="Left">Those that match, and for which the time was too short.</param>
public sealed record Requeued(int Count, IReadOnlyList<string> NotRequeued, DeadLetterCount Left);
