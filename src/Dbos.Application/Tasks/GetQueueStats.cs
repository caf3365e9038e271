using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using Dbos.Domain.Tasks;
using FluentValidation;
using MediatR;

namespace Dbos.Application.Tasks;

public sealed record GetQueueStats : IQuery<QueueStats>
{
    public string RefusedEvent => EventTypes.QueueReadError;

    public (string Name, string Value)[] Subject => [];

    public sealed class Validator : AbstractValidator<GetQueueStats>;

    public sealed class Handler(ITaskRepository tasks) : IRequestHandler<GetQueueStats, Answer<QueueStats>>
    {
        public async Task<Answer<QueueStats>> Handle(GetQueueStats query, CancellationToken cancellationToken) =>
            await tasks.Stats(cancellationToken);
    }
}

/// <param name="Tasks">How many there are in each status.</param>
/// <param name="OldestPendingAge">How long the oldest due task has been waiting; zero: none is due.</param>
/// <param name="ScheduledPerSecond">Over the last minute, as the two that follow.</param>
/// <param name="FailedPerSecond">Deliveries that ended in a nack or an expired lease.</param>
/// <param name="Totals">Since the store was first used, by what was counted.</param>
public sealed record QueueStats(
    IReadOnlyDictionary<MeasurementTaskStatus, long> Tasks,
    TimeSpan OldestPendingAge,
    double ScheduledPerSecond,
    double CompletedPerSecond,
    double FailedPerSecond,
    IReadOnlyDictionary<string, long> Totals);
