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

/// <summary>Load, decide, commit if nobody was faster; else decide again on what was found.</summary>
public static class OptimisticWrite
{
    /// <param name="assumeNew">
    /// Decide first as if nothing were stored: spares the read when that is so, and costs nothing when not, as
    /// the commit tells what it found.
    /// </param>
    public static async Task<Answer<Written>> Run<T>(
        UnitOfWork work,
        Func<Task<T?>> load,
        Func<T?, Answer<Decision<T>>> decide,
        Func<T, Task<Saved<T>>> save,
        Func<T, bool>? saysTheSame = null,
        bool assumeNew = false)
        where T : class, IVersioned
    {
        var stored = assumeNew && !decide(null).IsRefused ? null : await load();
        while (true)
        {
            var decided = decide(stored);
            if (decided.IsRefused)
            {
                return decided.Refusal;
            }

            var decision = decided.Value;
            if (decision.IsReplay)
            {
                work.ReplayDiffered = saysTheSame is not null && !saysTheSame(decision.Next);
                return new Written(decision.Next.Version, Duplicate: true);
            }

            work.Events = decision.Events;
            switch (await save(decision.Next))
            {
                case Saved<T>.Done done:
                    return new Written(done.Version, Duplicate: false);
                case Saved<T>.Replayed replayed:
                    work.ReplayDiffered = replayed.First.ContentDiffers;
                    return new Written(replayed.First.Version, Duplicate: true);
                case Saved<T>.Conflict conflict:
                    stored = conflict.Found;
                    break;
            }
        }
    }
}
