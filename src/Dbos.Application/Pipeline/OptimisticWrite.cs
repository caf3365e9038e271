using System.Diagnostics.Metrics;
using Dbos.Domain.Answers;

namespace Dbos.Application.Pipeline;

/// <summary>A record that is written only over the version it was decided on.</summary>
public interface IVersioned
{
    /// <summary>Each write adds one.</summary>
    long Version { get; }
}

/// <summary>A decided change that waits for its commit.</summary>
/// <param name="Before">What it was decided on; null: nothing was stored.</param>
public sealed record Draft<T>(T? Before, T Next, CommitContext Work);

/// <summary>One record that is to be changed, and how to decide on whatever is found of it.</summary>
/// <param name="Assumed">
/// What is probably stored; null: nothing. Where that is right the read is spared, and where it is wrong the commit returns what it found.
/// </param>
/// <param name="Read">Reads what is stored: a decision that commits nothing is not made on an assumption.</param>
public sealed record Change<T>(CommitContext Work, T? Assumed, Func<T?, Answer<Decision<T>>> Decide, Func<Task<T?>> Read);

/// <summary>Decides, and commits if no other write came between; else decides again on what was found.</summary>
public static class OptimisticWrite
{
    private static readonly Counter<long> Conflicts = Outcomes.Meter.CreateCounter<long>(
        "dbos.commit.conflicts", "{conflict}", "Commits that found another version than the one decided on, and were decided again.");

    public static async Task<Answer<Written>> Run<T>(Change<T> change, Func<Draft<T>, Task<Saved<T>>> save)
        where T : class, IVersioned
    {
        var work = change.Work;
        var (stored, isAssumed) = (change.Assumed, true);
        while (true)
        {
            var decided = change.Decide(stored);
            if (isAssumed && (decided.IsRefused || decided.Value.IsReplay))
            {
                stored = await change.Read();
                decided = change.Decide(stored);
            }

            isAssumed = false;
            if (decided.IsRefused)
            {
                return decided.Refusal;
            }

            var decision = decided.Value;
            if (decision.IsReplay)
            {
                return new Written(decision.Next.Version, Duplicate: true);
            }

            work.Events = decision.Events;
            switch (await save(new Draft<T>(stored, decision.Next, work)))
            {
                case Saved<T>.Done done:
                    return new Written(done.Version, Duplicate: false);
                case Saved<T>.Replayed replayed:
                    work.ReplayDiffered = replayed.First.ContentDiffers;
                    return new Written(replayed.First.Version, Duplicate: true);
                case Saved<T>.Conflict conflict:
                    stored = conflict.Found;
                    Conflicts.Add(1, new KeyValuePair<string, object?>("dbos.record", typeof(T).Name));
                    break;
                case var unknown:
                    throw new InvalidOperationException($"unknown outcome of a write: {unknown}");
            }
        }
    }
}
