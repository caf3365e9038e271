using Dbos.Domain.Answers;
using FluentValidation;

namespace Dbos.Application.Pipeline;

/// <summary>Many writes of one kind in one request: each is validated, made idempotent, audited and answered by itself.</summary>
public interface IBatch<out TWrite> : ICommand<IReadOnlyList<Answer<Written>>>
    where TWrite : IWrite
{
    IReadOnlyList<TWrite> Writes { get; }
}

/// <summary>What the pipeline's steps do for one write, done for each of a batch, and all changes saved together.</summary>
public sealed class BatchWriter<TWrite>(
    IValidator<TWrite> validator, CommitContext ofRequest, Idempotency idempotency, Refusals refusals)
    where TWrite : IWrite
{
    /// <param name="toItem">What the store is given of a write; called for the writes whose shape is good.</param>
    /// <param name="save">Writes them, and answers in their order.</param>
    public async Task<Answer<IReadOnlyList<Answer<Written>>>> Run<TItem>(
        IBatch<TWrite> batch,
        Func<TWrite, CommitContext, TItem> toItem,
        Func<IReadOnlyList<TItem>, Task<IReadOnlyList<Answer<Written>>>> save,
        CancellationToken cancellation)
    {
        if (idempotency.WhyNoKey is { } noKey)
        {
            return noKey;
        }

        var writes = batch.Writes;
        var answers = new Answer<Written>[writes.Count];
        var contexts = new CommitContext[writes.Count];
        var good = new List<int>(writes.Count);
        var items = new List<TItem>(writes.Count);
        for (var i = 0; i < writes.Count; i++)
        {
            contexts[i] = new CommitContext { Origin = ofRequest.Origin };
            if (validator.WhyRefused(writes[i]) is { } refusal)
            {
                answers[i] = refusal;
                continue;
            }

            contexts[i].Mark = idempotency.MarkOf(writes[i]);
            good.Add(i);
            items.Add(toItem(writes[i], contexts[i]));
        }

        var written = items.Count > 0 ? await save(items) : [];
        for (var at = 0; at < good.Count; at++)
        {
            var i = good[at];
            answers[i] = await idempotency.Settle(writes[i], contexts[i], written[at], cancellation);
        }

        for (var i = 0; i < writes.Count; i++)
        {
            Outcomes.Count(writes[i], Outcomes.Of(answers[i]));
            var isDone = answers[i] is { IsRefused: false, Value.Duplicate: false };
            await refusals.Log(writes[i], answers[i].Refusal, contexts[i], isDone, cancellation);
        }

        return answers;
    }
}
