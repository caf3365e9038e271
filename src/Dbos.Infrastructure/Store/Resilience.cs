using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Dbos.Application;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;

namespace Dbos.Infrastructure.Store;

/// <summary>
/// How long and how often the store is asked, and by how many: as many as there are permits, each again after a
/// brief outage, nobody while the circuit of the server that has the answer is broken. How long one answer is waited for is
/// the engine's own patience.
/// </summary>
public sealed class Resilience
{
    /// <summary>
    /// Enough for a connection that broke, a slot that moves or a shard that is just getting its new primary. The last trial
    /// begins a second after the first at the latest, so that with the patience with it (2 s) it is within the 3 s that callers
    /// are promised, however long the trials before took.
    /// </summary>
    private static readonly TimeSpan Retrying = TimeSpan.FromMilliseconds(800);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(40);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(200);

    /// <summary>An outage fails every call; a lone timeout must not stop the others.</summary>
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

    /// <summary>Stands for all that is not asked of one server that is known: of several, of none that is left, of this process itself.</summary>
    private static readonly EndPoint Nobody = new DnsEndPoint("nobody", 0);

    private readonly Func<int, EndPoint?> serverOf;
    private readonly StorePermits permits;

    /// <summary>By server, as a dead shard of several must not stop the others, however many callers wait for it alone.</summary>
    private readonly ConcurrentDictionary<EndPoint, Circuit> circuits = [];

    /// <param name="serverOf">Who is to be asked for a partition; null: nobody is known.</param>
    public Resilience(StorePermits permits, Func<int, EndPoint?> serverOf)
    {
        this.permits = permits;
        this.serverOf = serverOf;
        Repeatable = Retry(_ => true);
        Once = Retry(outage => !outage.MayBeDone);

        static ResiliencePipeline Retry(Func<BriefOutageException, bool> isSafe) => new ResiliencePipelineBuilder()
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
            .Build();
    }

    /// <summary>For what may be done twice: it changes nothing, or knows that it is done.</summary>
    public ResiliencePipeline Repeatable { get; }

    /// <summary>For what must not be done twice: asked again only if it surely was not done.</summary>
    public ResiliencePipeline Once { get; }

    /// <summary>The store was seen to answer.</summary>
    /// <param name="away">Partitions that did not: who is to be asked for them, and what needs all of them, stays as it is.</param>
    public Task CloseCircuits(IReadOnlyList<int> away)
    {
        HashSet<EndPoint> silent = away.Count == 0 ? [] : [Nobody, .. away.Select(partition => ServerOf(partition))];
        return Task.WhenAll(
            circuits.Where(of => !silent.Contains(of.Key)).Select(of => of.Value.Control.CloseAsync(CancellationToken.None)));
    }

    /// <param name="retries">One of this object's.</param>
    /// <param name="partition">Null: all of them are asked.</param>
    /// <param name="cost">In permits of this kind of work.</param>
    /// <exception cref="StoreBusyException">Too many calls wait already.</exception>
    /// <exception cref="StoreUnavailableException">The store did not answer, or did not lately.</exception>
    public async Task<TResult> Run<TAsk, TResult>(
        ResiliencePipeline retries,
        int? partition,
        StoreWork work,
        int cost,
        Func<TAsk, CancellationToken, Task<TResult>> call,
        TAsk ask,
        CancellationToken cancellation)
    {
        var since = Stopwatch.GetTimestamp();
        var pool = permits.Of(work);
        await pool.Enter(cost);
        var isAnswered = false;
        var context = ResilienceContextPool.Shared.Get(continueOnCapturedContext: false, cancellation);
        try
        {
            var state = (resilience: this, partition, call, ask, since);

            // As an outcome an outage passes retries and breaker without being thrown again.
            var outcome = await Trial(context, state);
            if (outcome.Exception is BriefOutageException)
            {
                // Most calls succeed at once and are spared the retry strategy; it takes what was just tried for its first trial.
                outcome = await retries.ExecuteOutcomeAsync(
                    static (context, again) => again.first.Use(out var first) ? ValueTask.FromResult(first) : Trial(context, again.state),
                    context,
                    (first: new FirstTrial<TResult>(outcome), state));
            }

            outcome.ThrowIfException();
            isAnswered = true;
            return outcome.Result!;
        }
        catch (BrokenCircuitException broken)
        {
            throw new StoreUnavailableException("the store is away", broken);
        }
        finally
        {
            pool.Leave(cost, isAnswered);
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private static ValueTask<Outcome<TResult>> Trial<TAsk, TResult>(
        ResilienceContext context,
        (Resilience resilience, int? partition, Func<TAsk, CancellationToken, Task<TResult>> call, TAsk ask, long since) state) =>
        state.resilience.CircuitOf(state.partition).Breaker.ExecuteOutcomeAsync(
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
            state);

    /// <summary>Anew for each trial: a partition may have moved meanwhile.</summary>
    private Circuit CircuitOf(int? partition) => circuits.GetOrAdd(ServerOf(partition), static _ => Circuit.Closed());

    private EndPoint ServerOf(int? partition) => (partition is { } one ? serverOf(one) : null) ?? Nobody;

    private sealed class FirstTrial<TResult>(Outcome<TResult> outcome)
    {
        private bool isUsed;

        /// <summary>False: it was used before.</summary>
        public bool Use(out Outcome<TResult> first)
        {
            first = outcome;
            return !isUsed && (isUsed = true);
        }
    }

    private sealed record Circuit(ResiliencePipeline Breaker, CircuitBreakerManualControl Control)
    {
        public static Circuit Closed()
        {
            var control = new CircuitBreakerManualControl();
            var breaker = new ResiliencePipelineBuilder()
                .AddCircuitBreaker(new CircuitBreakerStrategyOptions
                {
                    FailureRatio = FailureRatio,
                    MinimumThroughput = FewestTrials,
                    SamplingDuration = SamplingDuration,
                    BreakDuration = BreakDuration,
                    ShouldHandle = new PredicateBuilder().Handle<StoreUnavailableException>(),
                    ManualControl = control,
                })
                .Build();
            return new(breaker, control);
        }
    }
}
