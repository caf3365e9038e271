using Dbos.Domain.Answers;

namespace Dbos.Application.Pipeline;

/// <summary>
/// Idempotency keys that callers name. The commit checks the mark and sets it. Where the write was refused, or is a duplicate of
/// another record, nothing was committed: then the mark is looked up here, as the first call under this key may explain the refusal.
/// </summary>
public sealed class Idempotency(CallContext call, IIdempotencyMarks marks)
{
    /// <summary>Why the key that the caller named cannot be one; null: it can, or none was named.</summary>
    public Refusal? WhyNoKey => call.IdempotencyKey is { } named && !Rules.IsId(named)
        ? new Refusal(RefusalCode.Validation, Rules.IdSentence("idempotency-key", named))
        : null;

    /// <returns>Null: the caller named no key.</returns>
    public IdempotencyMark? MarkOf(IWrite write) => call.IdempotencyKey is { } key
        ? new IdempotencyMark([write.GetType().Name, "named", .. write.RecordIds, key], write.Content)
        : null;

    /// <summary>The answer, unless the write was done before.</summary>
    public async Task<Answer<Written>> Settle(
        IWrite write, CommitContext work, Answer<Written> answer, CancellationToken cancellation)
    {
        var isSettled = answer.Refusal is null && !(answer.Value.Duplicate && work.ReplayDiffered);
        if (isSettled || work.Mark is not { } mark || await marks.Find(mark, write.Subject[0].Value, cancellation) is not { } first)
        {
            return answer;
        }

        work.ReplayDiffered = false;
        return first.ContentDiffers
            ? new Refusal(
                RefusalCode.IdempotencyKeyReused,
                $"idempotency-key '{call.IdempotencyKey}' was already used for another {write.GetType().Name} of this record")
            : new Written(first.Version, Duplicate: true);
    }
}
