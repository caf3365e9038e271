using Dbos.Domain.Answers;
using MediatR;

namespace Dbos.Application.Pipeline;

/// <summary>
/// Contributes the mark that makes a write the same write again: by the key that the caller names, else by
/// its natural key. The mark is looked at and set inside the commit; where there is none, as what was done
/// before makes doing it again a refusal, it is looked at here.
/// </summary>
public sealed class IdempotencyBehaviour<TRequest, TResponse>(UnitOfWork work, CallContext call, IIdempotencyMarks marks)
    : IPipelineBehavior<TRequest, TResponse>
    where TRequest : IWrite
    where TResponse : IAnswer<TResponse>
{
    public async Task<TResponse> Handle(
        TRequest request, CancellationToken cancellationToken, RequestHandlerDelegate<TResponse> next)
    {
        var named = call.IdempotencyKey;
        if (named is not null && !Rules.IsId(named))
        {
            return TResponse.Refused(new(RefusalCode.Validation, Rules.IdSentence("idempotency-key", named)));
        }

        var content = request.Content;
        var recordId = request.Subject[0].Value;
        var key = named ?? request.NaturalKey(content);
        work.Mark = key is null ? null : new([typeof(TRequest).Name, named is null ? "natural" : "named", recordId, key], content);

        var answer = await next();
        var isSettled = answer.Refusal is null && !work.ReplayDiffered;
        if (isSettled || work.Mark is not { } mark || await marks.Find(mark, recordId, cancellationToken) is not { } first)
        {
            return answer;
        }

        // A caller that names the key is told of its mistake; behind a natural key the first is kept.
        var isReused = named is not null && first.ContentDiffers;
        work.ReplayDiffered = first.ContentDiffers && !isReused;
        if (isReused)
        {
            return TResponse.Refused(new(
                RefusalCode.IdempotencyKeyReused, $"idempotency-key '{named}' was already used for another {typeof(TRequest).Name} of this record"));
        }

        // What a write answers, by its interface.
        Answer<Written> replay = new Written(first.Version, Duplicate: true);
        return (TResponse)(object)replay;
    }
}
