using System.Globalization;
using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using Dbos.Domain.Tasks;
using FluentValidation;
using MediatR;

namespace Dbos.Application.Tasks;

/// <param name="LeaseToken">Of the caller's delivery; 0: whichever is current.</param>
public sealed record NackTask(string TaskId, long RetryDelaySeconds, long LeaseToken, string Reason) : IWrite
{
    private const int LongestReason = 4096;
    private static readonly TimeSpan LongestDelay = TimeSpan.FromDays(30);

    public string RefusedEvent => EventTypes.TaskNackError;

    public (string Name, string Value)[] Subject => [(AuditEvent.Names.TaskId, TaskId)];

    /// <summary>A delivery fails once. Without its token, two nacks may mean two deliveries.</summary>
    public string? NaturalKey(ContentHash content) =>
        LeaseToken == MeasurementTask.AnyLease ? null : LeaseToken.ToString(CultureInfo.InvariantCulture);

    public ContentHash Content => new ContentHash.Builder().Add(LeaseToken).Add(RetryDelaySeconds).Add(Reason).Build();

    public sealed class Validator : AbstractValidator<NackTask>
    {
        public Validator()
        {
            ClassLevelCascadeMode = CascadeMode.Stop;
            RuleFor(command => command.TaskId).IsId("task_id");
            RuleFor(command => command.RetryDelaySeconds).IsWithin("retry_delay_seconds", 0, (long)LongestDelay.TotalSeconds);
            RuleFor(command => command.LeaseToken).IsWithin("lease_token", 0, long.MaxValue);
            RuleFor(command => command.Reason)
                .Must(reason => reason.Length <= LongestReason)
                .WithMessage((_, reason) => Rules.Sentence("reason", $"must be at most {LongestReason} characters", reason));
        }
    }

    public sealed class Handler(ITaskRepository tasks, UnitOfWork work, TimeProvider clock) : IRequestHandler<NackTask, Answer<Written>>
    {
        public Task<Answer<Written>> Handle(NackTask command, CancellationToken cancellationToken) =>
            OptimisticWrite.Run<MeasurementTask>(
                work,
                load: () => tasks.Find(command.TaskId, cancellationToken),
                decide: task => task is null
                    ? TaskNotFound.Refusal(command.TaskId)
                    : task.NegativelyAcknowledge(
                        command.LeaseToken, TimeSpan.FromSeconds(command.RetryDelaySeconds), command.Reason, clock.GetUtcNow()),
                save: task => tasks.Save(task, work, cancellationToken));
    }
}
