using System.Threading.RateLimiting;
using Dbos.Application;
using Dbos.Application.Paging;
using Polly;
using Polly.CircuitBreaker;
using Polly.RateLimiting;
using Polly.Timeout;

namespace Dbos.Infrastructure.Store;

/// <summary>
/// Bounds what an outage of the store costs a caller. Nothing is retried here: after a timeout it is not
/// known whether a write happened, and the caller's own retry is safe.
/// </summary>
public sealed class ResilientStore : IStore
{
    /// <summary>
    /// Callers are promised UNAVAILABLE within 3 s; a second is left for the way back, as all calls in flight
    /// end at once.
    /// </summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Several times what saturates one Redis; beyond it, waiting only adds to the wait.</summary>
    private const int MostCallsInFlight = 4096;

    /// <summary>
    /// The probe closes the circuit as soon as the store is back, so that no caller has to wait out a trial.
    /// Where nobody probes, this is still shorter than the 5 s in which service is promised back.
    /// </summary>
    private static readonly TimeSpan BreakDuration = TimeSpan.FromSeconds(4);

    private readonly IStore engine;
    private readonly CircuitBreakerManualControl circuit = new();
    private readonly ResiliencePipeline pipeline;

    public ResilientStore(IStore engine)
    {
        this.engine = engine;
        pipeline = new ResiliencePipelineBuilder()
            .AddRateLimiter(new ConcurrencyLimiter(new ConcurrencyLimiterOptions { PermitLimit = MostCallsInFlight, QueueLimit = 0 }))
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions
            {
                // An outage fails every call; a lone timeout among successes must not stop the others.
                FailureRatio = 0.9,
                MinimumThroughput = 10,
                SamplingDuration = TimeSpan.FromSeconds(5),
                BreakDuration = BreakDuration,
                ShouldHandle = new PredicateBuilder().Handle<StoreUnavailableException>().Handle<TimeoutRejectedException>(),
                ManualControl = circuit,
            })
            .AddTimeout(Patience)
            .Build();
    }

    public int Partitions => engine.Partitions;

    public Task<CommitOutcome> Commit(Commit commit, CancellationToken cancellation) =>
        Guarded(static (store, commit, token) => store.Commit(commit, token), commit, cancellation);

    public Task<IReadOnlyList<Delivery>> Take(Take take, CancellationToken cancellation) =>
        Guarded(static (store, take, token) => store.Take(take, token), take, cancellation);

    public Task<StoredRecord?> Find(StoreKey record, CancellationToken cancellation) =>
        Guarded(static (store, record, token) => store.Find(record, token), record, cancellation);

    public Task<ReadOnlyMemory<byte>?> FindMark(StoreKey mark, CancellationToken cancellation) =>
        Guarded(static (store, mark, token) => store.FindMark(mark, token), mark, cancellation);

    public Task<IReadOnlyList<IndexEntry>> Lowest(StoreKey index, long upTo, int count, CancellationToken cancellation) =>
        Guarded(static (store, ask, token) => store.Lowest(ask.index, ask.upTo, ask.count, token), (index, upTo, count), cancellation);

    public Task<IReadOnlyList<IndexEntry>> Highest(StoreKey index, PageCursor? below, int count, CancellationToken cancellation) =>
        Guarded(static (store, ask, token) => store.Highest(ask.index, ask.below, ask.count, token), (index, below, count), cancellation);

    public Task<IReadOnlyList<IndexEntry>> ByMember(StoreKey index, string? after, int count, CancellationToken cancellation) =>
        Guarded(static (store, ask, token) => store.ByMember(ask.index, ask.after, ask.count, token), (index, after, count), cancellation);

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
        int partition, EventLogName log, int count, CancellationToken cancellation) =>
        Guarded(
            static (store, ask, token) => store.NewestEvents(ask.partition, ask.log, ask.count, token),
            (partition, log, count),
            cancellation);

    /// <summary>
    /// Past the circuit breaker, which is to follow the store's health and not to hide it: a success closes it,
    /// so that whoever was told of health is not refused right after.
    /// </summary>
    public async Task Probe(CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        try
        {
            await engine.Probe(patience.Token);
            await circuit.CloseAsync(CancellationToken.None);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new StoreUnavailableException("the store did not answer in time");
        }
    }

    private async Task<TResult> Guarded<TAsk, TResult>(
        Func<IStore, TAsk, CancellationToken, Task<TResult>> call, TAsk ask, CancellationToken cancellation)
    {
        try
        {
            return await pipeline.ExecuteAsync(
                static async (state, token) => await state.call(state.engine, state.ask, token),
                (call, engine, ask),
                cancellation);
        }
        catch (RateLimiterRejectedException rejected)
        {
            throw new StoreBusyException(rejected);
        }
        catch (BrokenCircuitException broken)
        {
            throw new StoreUnavailableException("the store is away", broken);
        }
        catch (TimeoutRejectedException late)
        {
            throw new StoreUnavailableException("the store did not answer in time", late);
        }
    }
}
