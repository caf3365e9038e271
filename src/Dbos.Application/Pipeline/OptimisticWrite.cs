using System.Diagnostics.Metrics;
using Dbos.Domain.Answers;

namespace Dbos.Application.Pipeline;

/// <summary>What the store did with an aggregate that was to be written over the version it was decided on.</summary>
public abstract record Saved<T>
{
    private Saved()
    {
    }

    /// <summary>All of the commit landed.</summary>
    public sealed record Done(long Version) : Saved<T>;

    /// <summary>The mark was there: nothing was written.</summary>
    public sealed record Replayed(FirstAnswer First) : Saved<T>;

    /// <summary>Another writer was faster: nothing was written.</summary>
    /// <param name="Found">What stands there now; null: nothing.</param>
    public sealed record Conflict(T? Found) : Saved<T>;
}

/// <summary>A decided change that waits for its commit.</summary>
/// <param name="Before">What it was decided on; null: nothing was stored.</param>
/// <param name="Deletes">The aggregate goes for good.</param>
public sealed record Draft<T>(T? Before, T Next, bool Deletes, CommitContext Work);

/// <summary>One aggregate that is to be changed, and how to decide on whatever is found of it.</summary>
/// <param name="Stored">As it was read, or as it is assumed to be; null: nothing is stored.</param>
/// <param name="SaysTheSame">Tells a true replay from one with other content; null: they are not told apart.</param>
public sealed record Change<T>(CommitContext Work, T? Stored, Func<T?, Answer<Decision<T>>> Decide, Func<T, bool>? SaysTheSame = null)
{
    /// <summary>
    /// Where <see cref="Stored"/> is only assumed: reads what is stored. That spares the read where the assumption is good, and costs
    /// nothing where it is not, as the commit tells what it found. But what commits nothing is not answered by an assumption.
    /// </summary>
    public Func<Task<T?>>? Read { get; init; }
}

/// <summary>Load, decide, commit if nobody was faster; else decide again on what was found.</summary>
public static class OptimisticWrite
{
    private static readonly Counter<long> Conflicts = Outcomes.Meter.CreateCounter<long>(
        "dbos.commit.conflicts", "{conflict}", "Commits that found another version than the one decided on, and were decided again.");

    public static async Task<Answer<Written>> Run<T>(Change<T> change, Func<Draft<T>, Task<Saved<T>>> save)
        where T : class, IVersioned
    {
        var attempt = new Attempt<T>(change);
        while (await attempt.Next() is { } draft)
        {
            attempt.Hear(await save(draft));
        }

        return attempt.Answer;
    }

    /// <summary>Many at once, each decided and answered by itself.</summary>
    /// <param name="save">Answers in the order of the drafts.</param>
    public static async Task<Answer<Written>[]> RunAll<T>(
        IReadOnlyList<Change<T>> changes, Func<IReadOnlyList<Draft<T>>, Task<IReadOnlyList<Saved<T>>>> save)
        where T : class, IVersioned
    {
        var attempts = changes.Select(change => new Attempt<T>(change)).ToArray();
        var left = await Undecided(attempts);
        while (left.Length > 0)
        {
            var saved = await save([.. left.Select(one => one.Draft)]);
            for (var i = 0; i < left.Length; i++)
            {
                left[i].Attempt.Hear(saved[i]);
            }

            left = await Undecided([.. left.Select(one => one.Attempt)]);
        }

        return [.. attempts.Select(attempt => attempt.Answer)];
    }

    private static async Task<(Attempt<T> Attempt, Draft<T> Draft)[]> Undecided<T>(Attempt<T>[] attempts)
        where T : class, IVersioned
    {
        var drafts = await Task.WhenAll(attempts.Select(attempt => attempt.Next()));
        return [.. from one in attempts.Zip(drafts) where one.Second is not null select (one.First, one.Second)];
    }

    private sealed class Attempt<T>(Change<T> change)
        where T : class, IVersioned
    {
        private T? stored = change.Stored;
        private bool isAssumed = change.Read is not null;
        private bool isAnswered;

        public Answer<Written> Answer { get; private set; }

        /// <summary>Null: it is answered.</summary>
        public async Task<Draft<T>?> Next()
        {
            if (isAnswered)
            {
                return null;
            }

            var decided = change.Decide(stored);
            if (isAssumed && (decided.IsRefused || decided.Value.IsReplay))
            {
                stored = await change.Read!();
                isAssumed = false;
                decided = change.Decide(stored);
            }

            if (decided.IsRefused)
            {
                return Conclude(decided.Refusal);
            }

            var decision = decided.Value;
            if (decision.IsReplay)
            {
                change.Work.ReplayDiffered = change.SaysTheSame is not null && !change.SaysTheSame(decision.Next);
                return Conclude(new Written(decision.Next.Version, Duplicate: true));
            }

            change.Work.Events = decision.Events;
            return new Draft<T>(stored, decision.Next, decision.Deletes, change.Work);
        }

        public void Hear(Saved<T> saved)
        {
            switch (saved)
            {
                case Saved<T>.Done done:
                    Conclude(new Written(done.Version, Duplicate: false));
                    break;
                case Saved<T>.Replayed replayed:
                    change.Work.ReplayDiffered = replayed.First.ContentDiffers;
                    Conclude(new Written(replayed.First.Version, Duplicate: true));
                    break;
                case Saved<T>.Conflict conflict:
                    stored = conflict.Found;
                    isAssumed = false;
                    Conflicts.Add(1, new KeyValuePair<string, object?>("dbos.record", typeof(T).Name));
                    break;
            }
        }

        private Draft<T>? Conclude(Answer<Written> answer)
        {
            Answer = answer;
            isAnswered = true;
            return null;
        }
    }
}
