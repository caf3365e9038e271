using Dbos.Domain.Answers;
using MediatR;

namespace Dbos.Application.Pipeline;

/// <summary>
/// Contributes the mark that makes a write the same write again: by the key that the caller names, else by
/// its natural key. The mark itself is looked at and set inside the commit.
/// </summary>
public sealed class IdempotencyBehaviour<TRequest, TResponse>(UnitOfWork work, CallContext call)
    : IPipelineBehavior<TRequest, TResponse>
    where TRequest : IWrite
    where TResponse : IAnswer<TResponse>
{
    public async Task<TResponse> Handle(
        TRequest request, CancellationToken cancellationToken, RequestHandlerDelegate<TResponse> next)
    {
        if (call.IdempotencyKey is not { } named)
        {
            var content = request.Content;
            work.Mark = request.NaturalKey(content) is { } natural ? Mark("natural", natural, content) : null;
            return await next();
        }

        if (!Rules.IsId(named))
        {
            return TResponse.Refused(new(RefusalCode.Validation, Rules.IdSentence("idempotency-key", named)));
        }

        work.Mark = Mark("named", named, request.Content);
        var answer = await next();
        if (!work.ReplayDiffered)
        {
            return answer;
        }

        work.ReplayDiffered = false;
        return TResponse.Refused(new(
            RefusalCode.IdempotencyKeyReused, $"idempotency-key '{named}' was already used for another {typeof(TRequest).Name} of this record"));

        IdempotencyMark Mark(string kind, string key, ContentHash content) =>
            new([typeof(TRequest).Name, kind, request.Subject[0].Value, key], content);
    }
}
