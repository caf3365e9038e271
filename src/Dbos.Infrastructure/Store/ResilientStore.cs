using System.Net;
using Dbos.Application;
using Dbos.Application.Paging;
using Polly;

namespace Dbos.Infrastructure.Store;

/// <summary>
/// The store as everybody sees it: a brief outage is waited out where asking again is safe, a longer one costs callers
/// milliseconds, and no unbounded number of them waits.
/// </summary>
public sealed class ResilientStore(IStore engine, Resilience resilience) : IStore
{
    public int Partitions => engine.Partitions;

    public EndPoint? ServerOf(int partition) => engine.ServerOf(partition);

    /// <summary>
    /// A commit whose answer was lost is sent again, and is known by what it left behind; where others were there meanwhile
    /// and nobody can tell, that is an outage.
    /// </summary>
    public Task<IReadOnlyList<CommitOutcome>> Commit(IReadOnlyList<Commit> commits, CancellationToken cancellation) =>
        Repeatable(commits[0].Partition, static (store, sending, token) => sending.To(store, token), new Sending(commits), cancellation);

    /// <summary>Not again where its answer was lost: what was leased then comes back when the lease expires.</summary>
    public Task<IReadOnlyList<Delivery>> Take(Take take, CancellationToken cancellation) =>
        Once(take.Partition, static (store, take, token) => store.Take(take, token), take, cancellation);

    public Task<StoredRecord?> Find(StoreKey record, CancellationToken cancellation) =>
        Repeatable(record.Partition, static (store, record, token) => store.Find(record, token), record, cancellation);

    public Task<StoredRecord?> FindBare(StoreKey record, CancellationToken cancellation) =>
        Repeatable(record.Partition, static (store, record, token) => store.FindBare(record, token), record, cancellation);

    public Task<Mark?> FindMark(StoreKey mark, CancellationToken cancellation) =>
        Repeatable(mark.Partition, static (store, mark, token) => store.FindMark(mark, token), mark, cancellation);

    public Task<IReadOnlyList<IndexEntry>> Lowest(
        StoreKey index, PageCursor? above, long upTo, int count, CancellationToken cancellation) =>
        Repeatable(
            index.Partition,
            static (store, ask, token) => store.Lowest(ask.index, ask.above, ask.upTo, ask.count, token),
            (index, above, upTo, count),
            cancellation);

    public Task<IReadOnlyList<IndexEntry>> Highest(StoreKey index, PageCursor? below, int count, CancellationToken cancellation) =>
        Repeatable(
            index.Partition,
            static (store, ask, token) => store.Highest(ask.index, ask.below, ask.count, token),
            (index, below, count),
            cancellation);

    public Task<IReadOnlyList<IndexEntry>> ByMember(StoreKey index, string? after, int count, CancellationToken cancellation) =>
        Repeatable(
            index.Partition,
            static (store, ask, token) => store.ByMember(ask.index, ask.after, ask.count, token),
            (index, after, count),
            cancellation);

    public Task<IReadOnlyList<IndexEntry>> Due(StoreKey index, long upTo, int count, CancellationToken cancellation) =>
        Repeatable(index.Partition, static (store, ask, token) => store.Due(ask.index, ask.upTo, ask.count, token), (index, upTo, count), cancellation);

    public Task<IReadOnlyList<IReadOnlyList<IndexEntry>>> Heads(
        int partition, IReadOnlyList<IndexBand> bands, long upTo, int count, CancellationToken cancellation) =>
        Repeatable(
            partition,
            static (store, ask, token) => store.Heads(ask.partition, ask.bands, ask.upTo, ask.count, token),
            (partition, bands, upTo, count),
            cancellation);

    public Task<long?> Score(StoreKey index, string member, CancellationToken cancellation) =>
        Repeatable(index.Partition, static (store, ask, token) => store.Score(ask.index, ask.member, token), (index, member), cancellation);

    public Task<long> CountEntries(StoreKey index, CancellationToken cancellation) =>
        Repeatable(index.Partition, static (store, index, token) => store.CountEntries(index, token), index, cancellation);

    public Task<IReadOnlyDictionary<string, long>> Counts(int partition, long? bucket, CancellationToken cancellation) =>
        Repeatable(partition, static (store, ask, token) => store.Counts(ask.partition, ask.bucket, token), (partition, bucket), cancellation);

    public Task<long> Bytes(CancellationToken cancellation) =>
        Repeatable(partition: null, static (store, _, token) => store.Bytes(token), true, cancellation);

    public Task<NameSlice> Names(IReadOnlyList<string> prefixes, string? cursor, CancellationToken cancellation) =>
        Repeatable(partition: null, static (store, ask, token) => store.Names(ask.prefixes, ask.cursor, token), (prefixes, cursor), cancellation);

    public void Tell(IStoreWatcher watcher) => engine.Tell(watcher);

    /// <summary>Not again where its answer was lost: an import that fails is begun anew.</summary>
    public Task Restore(Restoration restoration, CancellationToken cancellation) =>
        Once(
            restoration.Partition,
            static async (store, restoration, token) =>
            {
                await store.Restore(restoration, token);
                return true;
            },
            restoration,
            cancellation);

    /// <summary>
    /// Past the circuit breaker, which is to follow the store's health and not to hide it: a success closes it,
    /// so that whoever was told of health is not refused right after.
    /// </summary>
    public async Task<Pulse> Probe(Watch watch, CancellationToken cancellation)
    {
        var pulse = await engine.Probe(watch, cancellation);
        await resilience.CloseCircuits(pulse.Away?.Numbers ?? []);
        return pulse;
    }

    private Task<TResult> Repeatable<TAsk, TResult>(
        int? partition, Func<IStore, TAsk, CancellationToken, Task<TResult>> call, TAsk ask, CancellationToken cancellation) =>
        Run(resilience.Repeatable, partition, call, ask, cancellation);

    private Task<TResult> Once<TAsk, TResult>(
        int? partition, Func<IStore, TAsk, CancellationToken, Task<TResult>> call, TAsk ask, CancellationToken cancellation) =>
        Run(resilience.Once, partition, call, ask, cancellation);

    private Task<TResult> Run<TAsk, TResult>(
        ResiliencePipeline retries,
        int? partition,
        Func<IStore, TAsk, CancellationToken, Task<TResult>> call,
        TAsk ask,
        CancellationToken cancellation) =>
        resilience.Run(
            retries, partition, static (it, token) => it.call(it.engine, it.ask, token), (call, engine, ask), cancellation);

    /// <summary>The same commits, sent until there is an answer.</summary>
    private sealed class Sending(IReadOnlyList<Commit> commits)
    {
        private bool mayBeDone;

        public async Task<IReadOnlyList<CommitOutcome>> To(IStore store, CancellationToken cancellation)
        {
            try
            {
                var outcomes = await store.Commit(commits, cancellation);
                return mayBeDone ? [.. commits.Zip(outcomes, Recognized)] : outcomes;
            }
            catch (BriefOutageException outage)
            {
                mayBeDone |= outage.MayBeDone;
                throw;
            }
        }

        /// <summary>Deciding again on what others made of it meanwhile could do a second time what was done.</summary>
        private static CommitOutcome Recognized(Commit commit, CommitOutcome outcome) =>
            commit.Recognize(outcome) ?? throw new StoreUnavailableException("a write was changed by others before it was known to be done");
    }
}
