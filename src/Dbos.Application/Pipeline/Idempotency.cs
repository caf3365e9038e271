using Dbos.Domain.Answers;

namespace Dbos.Application.Pipeline;

/// <summary>
/// What makes a write the same write again: the key that the caller names, else its natural key. The mark is
/// looked at and set inside the commit; where there is none, as what was done before makes doing it again a
/// refusal, it is looked at here.
/// </summary>
public sealed class Idempotency(CallContext call, IIdempotencyMarks marks)
{
    /// <summary>Why the key that the caller named cannot be one; null: it can, or none was named.</summary>
    public Refusal? WhyNoKey => call.IdempotencyKey is { } named && !Rules.IsId(named)
        ? new Refusal(RefusalCode.Validation, Rules.IdSentence("idempotency-key", named))
        : null;

    public IdempotencyMark? MarkOf(IWrite write)
    {
        var content = write.Content;
        var named = call.IdempotencyKey;
        var key = named ?? write.NaturalKey(content);
        return key is null
            ? null
            : new IdempotencyMark([write.GetType().Name, named is null ? "natural" : "named", .. write.RecordIds, key], content);
    }

    /// <summary>The answer, unless the write was done before.</summary>
    public async Task<Answer<Written>> Settle(
        IWrite write, CommitContext work, Answer<Written> answer, CancellationToken cancellation)
    {
        var isSettled = answer.Refusal is null && !work.ReplayDiffered;
        if (isSettled || work.Mark is not { } mark || await marks.Find(mark, write.Subject[0].Value, cancellation) is not { } first)
        {
            return answer;
        }

        // A caller that names the key is told of its mistake; behind a natural key the first is kept.
        var named = call.IdempotencyKey;
        var isReused = named is not null && first.ContentDiffers;
        work.ReplayDiffered = first.ContentDiffers && !isReused;
        return isReused
            ? new Refusal(
                RefusalCode.IdempotencyKeyReused, $"idempotency-key '{named}' was already used for another {write.GetType().Name} of this record")
            : new Written(first.Version, Duplicate: true);
    }
}
