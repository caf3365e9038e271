using System.Threading.RateLimiting;
using Dbos.Application;
using Dbos.Application.Paging;
using Polly;
using Polly.CircuitBreaker;

namespace Dbos.Infrastructure.Store;

/// <summary>
/// Bounds what an outage of the store costs: callers wait no longer than the engine's own patience, then only
/// milliseconds, and no unbounded number of them waits. Nothing is retried here: after a timeout it is not
/// known whether a write happened, and the caller's own retry is safe.
/// </summary>
public sealed class ResilientStore : IStore, IDisposable
{
    /// <summary>
    /// Several times what saturates one Redis; beyond it, waiting only adds to the wait. One take of a thousand tasks
    /// makes up to a few thousand small reads.
    /// </summary>
    private const int MostCallsInFlight = 16_384;

    /// <summary>
    /// The probe closes the circuit as soon as the store is back, so that no caller has to wait out a trial.
    /// Where nobody probes, this is still shorter than the 5 s in which service is promised back.
    /// </summary>
    private static readonly TimeSpan BreakDuration = TimeSpan.FromSeconds(4);

    private readonly ConcurrencyLimiter limiter = new(new() { PermitLimit = MostCallsInFlight, QueueLimit = 0 });
    private readonly IStore engine;
    private readonly CircuitBreakerManualControl circuit = new();
    private readonly ResiliencePipeline breaker;

    public ResilientStore(IStore engine)
    {
        this.engine = engine;
        breaker = new ResiliencePipelineBuilder()
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions
            {
                // An outage fails every call; a lone timeout among successes must not stop the others.
                FailureRatio = 0.9,
                MinimumThroughput = 10,
                SamplingDuration = TimeSpan.FromSeconds(5),
                BreakDuration = BreakDuration,
                ShouldHandle = new PredicateBuilder().Handle<StoreUnavailableException>(),
                ManualControl = circuit,
            })
            .Build();
    }

    public int Partitions => engine.Partitions;

    public void Dispose() => limiter.Dispose();

    public Task<IReadOnlyList<CommitOutcome>> Commit(IReadOnlyList<Commit> commits, CancellationToken cancellation) =>
        Guarded(static (store, commits, token) => store.Commit(commits, token), commits, cancellation);

    public Task<IReadOnlyList<Delivery>> Take(Take take, CancellationToken cancellation) =>
        Guarded(static (store, take, token) => store.Take(take, token), take, cancellation);

    public Task<StoredRecord?> Find(StoreKey record, CancellationToken cancellation) =>
        Guarded(static (store, record, token) => store.Find(record, token), record, cancellation);

    public Task<Mark?> FindMark(StoreKey mark, CancellationToken cancellation) =>
        Guarded(static (store, mark, token) => store.FindMark(mark, token), mark, cancellation);

    public Task<IReadOnlyList<IndexEntry>> Lowest(
        StoreKey index, PageCursor? above, long upTo, int count, CancellationToken cancellation) =>
        Guarded(
            static (store, ask, token) => store.Lowest(ask.index, ask.above, ask.upTo, ask.count, token),
            (index, above, upTo, count),
            cancellation);

    public Task<IReadOnlyList<IndexEntry>> Highest(StoreKey index, PageCursor? below, int count, CancellationToken cancellation) =>
        Guarded(static (store, ask, token) => store.Highest(ask.index, ask.below, ask.count, token), (index, below, count), cancellation);

    public Task<IReadOnlyList<IndexEntry>> ByMember(StoreKey index, string? after, int count, CancellationToken cancellation) =>
        Guarded(static (store, ask, token) => store.ByMember(ask.index, ask.after, ask.count, token), (index, after, count), cancellation);

    public Task<IReadOnlyList<IndexEntry>> Due(StoreKey index, long upTo, int count, CancellationToken cancellation) =>
        Guarded(static (store, ask, token) => store.Due(ask.index, ask.upTo, ask.count, token), (index, upTo, count), cancellation);

    public Task<long?> Score(StoreKey index, string member, CancellationToken cancellation) =>
        Guarded(static (store, ask, token) => store.Score(ask.index, ask.member, token), (index, member), cancellation);

    public Task<long> CountEntries(StoreKey index, CancellationToken cancellation) =>
        Guarded(static (store, index, token) => store.CountEntries(index, token), index, cancellation);

    public Task<IReadOnlyDictionary<string, long>> Counts(int partition, long? bucket, CancellationToken cancellation) =>
        Guarded(static (store, ask, token) => store.Counts(ask.partition, ask.bucket, token), (partition, bucket), cancellation);

    public Task<NameSlice> Names(IReadOnlyList<string> prefixes, string? cursor, CancellationToken cancellation) =>
        Guarded(static (store, ask, token) => store.Names(ask.prefixes, ask.cursor, token), (prefixes, cursor), cancellation);

    public void Tell(IStoreWatcher watcher) => engine.Tell(watcher);

    public Task Append(int partition, EventLogName log, ReadOnlyMemory<byte> told, CancellationToken cancellation) =>
        Guarded(
            static async (store, ask, token) =>
            {
                await store.Append(ask.partition, ask.log, ask.told, token);
                return true;
            },
            (partition, log, told),
            cancellation);

    public Task<IReadOnlyList<ReadOnlyMemory<byte>>> NewestEvents(
        int partition, EventLogName log, int skip, int count, CancellationToken cancellation) =>
        Guarded(
            static (store, ask, token) => store.NewestEvents(ask.partition, ask.log, ask.skip, ask.count, token),
            (partition, log, skip, count),
            cancellation);

    public Task Restore(Restoration restoration, CancellationToken cancellation) =>
        Guarded(
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
        await circuit.CloseAsync(CancellationToken.None);
        return pulse;
    }

    private async Task<TResult> Guarded<TAsk, TResult>(
        Func<IStore, TAsk, CancellationToken, Task<TResult>> call, TAsk ask, CancellationToken cancellation)
    {
        using var permit = limiter.AttemptAcquire();
        if (!permit.IsAcquired)
        {
            throw new StoreBusyException();
        }

        // As an outcome an outage passes the breaker without being thrown a second time.
        var context = ResilienceContextPool.Shared.Get(continueOnCapturedContext: false, cancellation);
        try
        {
            var outcome = await breaker.ExecuteOutcomeAsync(
                static async (context, state) =>
                {
                    try
                    {
                        return Outcome.FromResult(await state.call(state.engine, state.ask, context.CancellationToken));
                    }
                    catch (StoreUnavailableException outage)
                    {
                        return Outcome.FromException<TResult>(outage);
                    }
                },
                context,
                (call, engine, ask));
            outcome.ThrowIfException();
            return outcome.Result!;
        }
        catch (BrokenCircuitException broken)
        {
            throw new StoreUnavailableException("the store is away", broken);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }
}
