using System.Diagnostics;
using System.Threading.RateLimiting;
using Dbos.Application;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;

namespace Dbos.Infrastructure.Store;

/// <summary>
/// How long and how often the store is asked, and by how many: no more than so many at a time, each again after a
/// brief outage, nobody while the circuit is broken. How long one answer is waited for is the engine's own patience.
/// </summary>
internal sealed class Resilience : IDisposable
{
    /// <summary>
    /// Several times what saturates one Redis; beyond it, waiting only adds to the wait. One take of a thousand tasks
    /// makes up to a few thousand small reads.
    /// </summary>
    private const int MostCallsInFlight = 16_384;

    /// <summary>
    /// Enough for a connection that broke, a slot that moves or a shard that is just getting its new primary. The last trial
    /// begins a second after the first at the latest, so that with the patience with it (2 s) it is within the 3 s that callers
    /// are promised, however long the trials before took.
    /// </summary>
    private static readonly TimeSpan Retrying = TimeSpan.FromMilliseconds(800);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(40);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(200);

    /// <summary>An outage fails every call; a dead shard of several, or a lone timeout, must not stop the others.</summary>
    private const double FailureRatio = 0.9;

    /// <summary>Few, so that even a lone caller soon waits milliseconds only; two calls with their retries.</summary>
    private const int FewestTrials = 10;
    private static readonly TimeSpan SamplingDuration = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The probe closes the circuit as soon as the store is back, so that no caller has to wait out a trial.
    /// Where nobody probes, this is still shorter than the 5 s in which service is promised back.
    /// </summary>
    private static readonly TimeSpan BreakDuration = TimeSpan.FromSeconds(4);

    private static readonly ResiliencePropertyKey<long> Since = new("since");

    private readonly ConcurrencyLimiter limiter = new(new() { PermitLimit = MostCallsInFlight, QueueLimit = 0 });
    private readonly CircuitBreakerManualControl circuit = new();

    public Resilience()
    {
        var breaker = new ResiliencePipelineBuilder()
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions
            {
                FailureRatio = FailureRatio,
                MinimumThroughput = FewestTrials,
                SamplingDuration = SamplingDuration,
                BreakDuration = BreakDuration,
                ShouldHandle = new PredicateBuilder().Handle<StoreUnavailableException>(),
                ManualControl = circuit,
            })
            .Build();
        Repeatable = Retry(_ => true);
        Once = Retry(outage => !outage.MayBeDone);

        ResiliencePipeline Retry(Func<BriefOutageException, bool> isSafe) => new ResiliencePipelineBuilder()
            .AddRetry(new RetryStrategyOptions
            {
                MaxRetryAttempts = int.MaxValue,
                BackoffType = DelayBackoffType.Exponential,
                Delay = FirstPause,
                MaxDelay = LongestPause,

                // Those whom one outage hit do not come back all at once.
                UseJitter = true,
                ShouldHandle = trial => ValueTask.FromResult(
                    trial.Outcome.Exception is BriefOutageException outage && isSafe(outage)
                    && Stopwatch.GetElapsedTime(trial.Context.Properties.GetValue(Since, 0)) < Retrying),
            })
            .AddPipeline(breaker)
            .Build();
    }

    /// <summary>For what may be done twice: it changes nothing, or knows that it is done.</summary>
    public ResiliencePipeline Repeatable { get; }

    /// <summary>For what must not be done twice: asked again only if it surely was not done.</summary>
    public ResiliencePipeline Once { get; }

    /// <summary>The store was seen to answer.</summary>
    public Task CloseCircuit() => circuit.CloseAsync(CancellationToken.None);

    public void Dispose() => limiter.Dispose();

    /// <exception cref="StoreBusyException">Too many calls wait already.</exception>
    /// <exception cref="StoreUnavailableException">The store did not answer, or did not lately.</exception>
    public async Task<TResult> Run<TAsk, TResult>(
        ResiliencePipeline pipeline, Func<TAsk, CancellationToken, Task<TResult>> call, TAsk ask, CancellationToken cancellation)
    {
        using var permit = limiter.AttemptAcquire();
        if (!permit.IsAcquired)
        {
            throw new StoreBusyException();
        }

        // As an outcome an outage passes retries and breaker without being thrown again.
        var context = ResilienceContextPool.Shared.Get(continueOnCapturedContext: false, cancellation);
        try
        {
            var outcome = await pipeline.ExecuteOutcomeAsync(
                static async (context, state) =>
                {
                    try
                    {
                        return Outcome.FromResult(await state.call(state.ask, context.CancellationToken));
                    }
                    catch (StoreUnavailableException outage)
                    {
                        // Told only here, as it costs an allocation.
                        context.Properties.Set(Since, state.since);
                        return Outcome.FromException<TResult>(outage);
                    }
                },
                context,
                (call, ask, since: Stopwatch.GetTimestamp()));
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
