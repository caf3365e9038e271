using System.Diagnostics;
using Dbos.Domain.Answers;

namespace Dbos.Application.Pipeline;

/// <summary>
/// Background work on deadlines that have passed. Every replica runs every sweep; the version guard of each
/// commit lets one of them win.
/// </summary>
public interface ISweep
{
    /// <returns>How many deadlines this replica worked off; 0: there is nothing for it to do now.</returns>
    Task<int> Run(CancellationToken cancellation);
}

/// <summary>A sweep over aggregates of one kind.</summary>
/// <param name="name">Told as the actor of the events.</param>
public abstract class Sweep<T>(string name) : ISweep
    where T : class, IVersioned
{
    private const int Batch = 500;

    private readonly Origin origin = Origin.Background(name);

    public async Task<int> Run(CancellationToken cancellation)
    {
        var overdue = await Overdue(Batch, cancellation);
        return overdue.Count == 0 ? 0 : await Spans.Around(GetType().Name, span => WorkOff(overdue, span, cancellation));
    }

    protected abstract Task<IReadOnlyList<T>> Overdue(int limit, CancellationToken cancellation);

    /// <summary>What becomes of it; a replay if its deadline has not passed after all.</summary>
    protected abstract Decision<T> Decide(T overdue);

    protected abstract Task<IReadOnlyList<Saved<T>>> Save(IReadOnlyList<Draft<T>> changed, CancellationToken cancellation);

    private async Task<int> WorkOff(IReadOnlyList<T> overdue, Activity? span, CancellationToken cancellation)
    {
        var traced = span is null ? origin : origin with { TraceId = span.TraceId.ToHexString() };
        var passed = await OptimisticWrite.RunAll(
            [.. overdue.Select(one => new Change<T>(new CommitContext { Origin = traced }, one, DecideIfThere))],
            drafts => Save(drafts, cancellation));
        var worked = passed.Count(answer => answer is { IsRefused: false, Value.Duplicate: false });
        span?.SetTag("dbos.count", worked);
        return worked;
    }

    private Answer<Decision<T>> DecideIfThere(T? one) =>
        one is null ? new Refusal(RefusalCode.NotFound, "gone meanwhile") : Decide(one);
}
