using Dbos.Domain.Answers;
using MediatR;

namespace Dbos.Application.Pipeline;

/// <summary>Contributes the mark of the idempotency key that the caller named, and answers what was done under it before.</summary>
public sealed class IdempotencyBehaviour<TRequest, TResponse>(CommitContext work, Idempotency idempotency)
    : IPipelineBehavior<TRequest, TResponse>
    where TRequest : IWrite
    where TResponse : IAnswer<TResponse>
{
    public async Task<TResponse> Handle(
        TRequest request, CancellationToken cancellationToken, RequestHandlerDelegate<TResponse> next)
    {
        if (idempotency.WhyNoKey is { } refusal)
        {
            return TResponse.Refused(refusal);
        }

        work.Mark = idempotency.MarkOf(request);

        // What a write answers, by its interface.
        var answer = (Answer<Written>)(object)await next();
        return (TResponse)(object)await idempotency.Settle(request, work, answer, cancellationToken);
    }
}
