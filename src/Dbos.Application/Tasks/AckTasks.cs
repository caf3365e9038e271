using Dbos.Application.Pipeline;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using FluentValidation;
using MediatR;

namespace Dbos.Application.Tasks;

/// <summary>Many acks at once, each answered by itself as <see cref="AckTask"/> would.</summary>
public sealed record AckTasks(IReadOnlyList<AckTask> Writes) : IBatch<AckTask>
{
    public string RefusedEvent => EventTypes.TaskAckError;

    public (string Name, string Value)[] Subject => [];

    public sealed class Validator : AbstractValidator<AckTasks>
    {
        public Validator() => RuleFor(command => command.Writes).IsBatch("acks");
    }

    public sealed class Handler(AckWriter acks, BatchWriter<AckTask> writer)
        : IRequestHandler<AckTasks, Answer<IReadOnlyList<Answer<Written>>>>
    {
        public Task<Answer<IReadOnlyList<Answer<Written>>>> Handle(AckTasks command, CancellationToken cancellationToken) => writer.Run(
            command,
            static (ack, context) => (ack, context),
            items => acks.Write(items, cancellationToken),
            cancellationToken);
    }
}
