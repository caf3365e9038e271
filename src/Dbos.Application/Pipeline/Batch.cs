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
    /// <param name="changeOf">Called for the writes whose shape is good.</param>
    public async Task<Answer<IReadOnlyList<Answer<Written>>>> Run<T>(
        IBatch<TWrite> batch,
        Func<TWrite, CommitContext, Change<T>> changeOf,
        Func<IReadOnlyList<Draft<T>>, Task<IReadOnlyList<Saved<T>>>> save,
        CancellationToken cancellation)
        where T : class, IVersioned
    {
        if (idempotency.WhyNoKey is { } noKey)
        {
            return noKey;
        }

        var writes = batch.Writes;
        var answers = new Answer<Written>[writes.Count];
        var works = new CommitContext[writes.Count];
        var good = new List<int>(writes.Count);
        for (var i = 0; i < writes.Count; i++)
        {
            works[i] = new CommitContext { Origin = ofRequest.Origin };
            if (validator.WhyRefused(writes[i]) is { } refusal)
            {
                answers[i] = refusal;
                continue;
            }

            works[i].Mark = idempotency.MarkOf(writes[i]);
            good.Add(i);
        }

        var written = await OptimisticWrite.RunAll([.. good.Select(i => changeOf(writes[i], works[i]))], save);
        for (var at = 0; at < good.Count; at++)
        {
            var i = good[at];
            answers[i] = await idempotency.Settle(writes[i], works[i], written[at], cancellation);
        }

        for (var i = 0; i < writes.Count; i++)
        {
            Outcomes.Count(writes[i], Outcomes.Of(answers[i]));
        }

        await Task.WhenAll(writes.Select((write, i) => refusals.Log(write, answers[i].Refusal, works[i], cancellation)));
        return answers;
    }
}
