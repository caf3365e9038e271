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
public sealed record Draft<T>(T? Before, T Next, bool Deletes, UnitOfWork Work);

/// <summary>One aggregate that is to be changed, and how to decide on whatever is found of it.</summary>
/// <param name="Stored">As it was read; null: nothing is stored, or that is assumed.</param>
/// <param name="SaysTheSame">Tells a true replay from one with other content; null: they are not told apart.</param>
public sealed record Change<T>(UnitOfWork Work, T? Stored, Func<T?, Answer<Decision<T>>> Decide, Func<T, bool>? SaysTheSame = null);

/// <summary>Load, decide, commit if nobody was faster; else decide again on what was found.</summary>
public static class OptimisticWrite
{
    private static readonly Counter<long> Conflicts = Outcomes.Meter.CreateCounter<long>(
        "dbos.commit.conflicts", "{conflict}", "Commits that found another version than the one decided on, and were decided again.");

    /// <param name="assumeNew">
    /// Decide first as if nothing were stored: spares the read when that is so, and costs nothing when not, as
    /// the commit tells what it found.
    /// </param>
    public static async Task<Answer<Written>> Run<T>(
        UnitOfWork work,
        Func<Task<T?>> load,
        Func<T?, Answer<Decision<T>>> decide,
        Func<Draft<T>, Task<Saved<T>>> save,
        Func<T, bool>? saysTheSame = null,
        bool assumeNew = false)
        where T : class, IVersioned
    {
        var stored = assumeNew && !decide(null).IsRefused ? null : await load();
        var attempt = new Attempt<T>(new Change<T>(work, stored, decide, saysTheSame));
        while (attempt.Next() is { } draft)
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
        var left = Undecided(attempts);
        while (left.Count > 0)
        {
            var saved = await save([.. left.Select(one => one.Draft)]);
            for (var i = 0; i < left.Count; i++)
            {
                left[i].Attempt.Hear(saved[i]);
            }

            left = Undecided(left.Select(one => one.Attempt));
        }

        return [.. attempts.Select(attempt => attempt.Answer)];
    }

    private static List<(Attempt<T> Attempt, Draft<T> Draft)> Undecided<T>(IEnumerable<Attempt<T>> attempts)
        where T : class, IVersioned =>
        [.. from attempt in attempts let draft = attempt.Next() where draft is not null select (attempt, draft)];

    private sealed class Attempt<T>(Change<T> change)
        where T : class, IVersioned
    {
        private T? stored = change.Stored;
        private bool isAnswered;

        public Answer<Written> Answer { get; private set; }

        /// <summary>Null: it is answered.</summary>
        public Draft<T>? Next()
        {
            if (isAnswered)
            {
                return null;
            }

            var decided = change.Decide(stored);
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
