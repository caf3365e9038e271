using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using Dbos.Domain.Tasks;
using FluentValidation;
using MediatR;
using Names = Dbos.Domain.Audit.AuditEvent.Names;

namespace Dbos.Application.Tasks;

/// <summary>A task as its scheduler tells it. Times are Unix seconds, 0: not told.</summary>
/// <param name="MaxRetries">0: the default.</param>
/// <param name="MaxExpiries">0: the default.</param>
public sealed record NewTask(
    string Id,
    string AgentId,
    string ModuleName,
    ReadOnlyMemory<byte> Payload,
    long ScheduledAt,
    long CreatedAt,
    string Status,
    long VisibilityTime,
    int RetryCount,
    int MaxRetries,
    int MaxExpiries = 0,
    int Priority = 0);

public sealed record ScheduleTask(NewTask? Task) : IWrite
{
    private const int MostRetries = 1_000;

    public string RefusedEvent => EventTypes.TaskScheduleError;

    public (string Name, string Value)[] Subject => Task is null
        ? []
        : [(Names.TaskId, Task.Id), (Names.AgentId, Task.AgentId), (Names.ModuleName, Task.ModuleName)];

    public ContentHash Content => new ContentHash.Builder()
        .Add(Task!.AgentId)
        .Add(Task.ModuleName)
        .Add(Task.ScheduledAt)
        .Add(Task.VisibilityTime)
        .Add(Task.MaxRetries)
        .Add(Task.MaxExpiries)
        .Add(Task.Priority)
        .Add(Task.Payload.Span)
        .Build();

    internal Scheduling ToSchedule(CommitContext context, DbosPolicy policy, DateTimeOffset now)
    {
        var given = Task!;
        var scheduled = given.ScheduledAt > 0 ? DateTimeOffset.FromUnixTimeSeconds(given.ScheduledAt) : now;
        var visible = DateTimeOffset.FromUnixTimeSeconds(given.VisibilityTime);
        var task = new MeasurementTask(
            given.Id,
            given.AgentId,
            given.ModuleName,
            given.Payload,
            scheduled.ToUnixTimeSeconds(),
            given.CreatedAt > 0 ? given.CreatedAt : now.ToUnixTimeSeconds(),
            MeasurementTaskStatus.Pending,
            visible > scheduled ? visible : scheduled,
            new RetryPolicy(
                given.MaxRetries > 0 ? given.MaxRetries : policy.MaxRetries,
                given.MaxExpiries > 0 ? given.MaxExpiries : policy.MaxExpiries),
            LeaseToken: 0)
        {
            Priority = given.Priority,
            TraceParent = context.Origin.TraceParent,
        };
        return new Scheduling(task, IsTimeGiven: given.ScheduledAt > 0, context);
    }

    public sealed class Validator : AbstractValidator<ScheduleTask>
    {
        private static readonly string Pending = MeasurementTaskStatus.Pending.Word();

        public Validator(DbosPolicy policy)
        {
            ClassLevelCascadeMode = CascadeMode.Stop;
            RuleFor(command => command.Task).IsGiven("task");
            RuleFor(command => command.Task!.Id).IsId("task.id");
            RuleFor(command => command.Task!.AgentId).IsIdOrEmpty("task.agent_id");
            RuleFor(command => command.Task!.ModuleName).IsIdOrEmpty("task.module_name");
            RuleFor(command => command.Task!.Payload).IsAtMost("task.payload", policy.MaxResultBytes);
            RuleFor(command => command.Task!.ScheduledAt).IsTime("task.scheduled_at");
            RuleFor(command => command.Task!.CreatedAt).IsTime("task.created_at");
            RuleFor(command => command.Task!.VisibilityTime).IsTime("task.visibility_time");
            RuleFor(command => command.Task!.Status)
                .Must(status => status.Length == 0 || status == Pending)
                .WithMessage((_, status) => Rules.Sentence("task.status", $"must be {Pending} or empty when a task is scheduled", status));
            RuleFor(command => (long)command.Task!.RetryCount).IsWithin("task.retry_count", 0, int.MaxValue);
            RuleFor(command => (long)command.Task!.MaxRetries).IsWithin("task.max_retries", 0, MostRetries);
            RuleFor(command => (long)command.Task!.MaxExpiries).IsWithin("task.max_expiries", 0, MostRetries);
            RuleFor(command => (long)command.Task!.Priority).IsWithin("task.priority", 0, MeasurementTask.HighestPriority);
        }
    }

    public sealed class Handler(ITaskRepository tasks, CommitContext context, DbosPolicy policy, TimeProvider clock)
        : IRequestHandler<ScheduleTask, Answer<Written>>
    {
        public async Task<Answer<Written>> Handle(ScheduleTask command, CancellationToken cancellationToken) =>
            (await tasks.Schedule([command.ToSchedule(context, policy, clock.GetUtcNow())], cancellationToken))[0];
    }
}
