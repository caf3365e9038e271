using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using FluentValidation;
using MediatR;

namespace Dbos.Application.Tasks;

/// <summary>Goes through all that is stored of tasks: what it answers is to be read to its end, slice after slice.</summary>
public sealed record CheckConsistency(bool Repair) : ICommand<IAsyncEnumerable<ConsistencySlice>>
{
    public string RefusedEvent => EventTypes.QueueReadError;

    public (string Name, string Value)[] Subject => [];

    public sealed class Validator : AbstractValidator<CheckConsistency>;

    public sealed class Handler(ITaskAudit audit, CommitContext work)
        : IRequestHandler<CheckConsistency, Answer<IAsyncEnumerable<ConsistencySlice>>>
    {
        public Task<Answer<IAsyncEnumerable<ConsistencySlice>>> Handle(CheckConsistency command, CancellationToken cancellationToken) =>
            Task.FromResult(Answers.Of(audit.Run(command.Repair, work.Origin, cancellationToken)));
    }
}

public interface ITaskAudit
{
    IAsyncEnumerable<ConsistencySlice> Run(bool repair, Origin origin, CancellationToken cancellation = default);
}

/// <param name="Checked">Records and index entries looked at, in this slice.</param>
public sealed record ConsistencySlice(int Checked, IReadOnlyList<Inconsistency> Inconsistencies);

/// <param name="TaskId">Empty: it is about an index entry that names no task.</param>
/// <param name="Description">In one sentence.</param>
public sealed record Inconsistency(string TaskId, string Description, bool Repaired);
