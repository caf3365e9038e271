using Dbos.Application;
using Dbos.Infrastructure.Store;
using NSubstitute;
using NSubstitute.ExceptionExtensions;

namespace Dbos.Infrastructure.Tests.Store;

public sealed class ResilientStoreTests : IDisposable
{
    private const int EnoughToBreak = 10;
    private static readonly StoreKey Key = new(0, "record");

    private readonly IStore engine = Substitute.For<IStore>();
    private readonly ResilientStore store;

    public ResilientStoreTests() => store = new ResilientStore(engine);

    public void Dispose() => store.Dispose();

    [Fact]
    public async Task After_some_failures_the_engine_is_asked_no_more()
    {
        engine.Find(Key, default).ThrowsAsyncForAnyArgs(new StoreUnavailableException("away"));
        await Fail<StoreUnavailableException>(EnoughToBreak);
        engine.ClearReceivedCalls();

        await Fail<StoreUnavailableException>(5);

        await engine.DidNotReceiveWithAnyArgs().Find(Key, default);
    }

    [Fact]
    public async Task A_probe_that_succeeds_lets_calls_through_again_at_once()
    {
        engine.Find(Key, default).ThrowsAsyncForAnyArgs(new StoreUnavailableException("away"));
        await Fail<StoreUnavailableException>(EnoughToBreak);
        engine.Find(Key, default).ReturnsForAnyArgs((StoredRecord?)null);

        await store.Probe(Given.Watch, default);

        (await store.Find(Key, default)).Should().BeNull();
    }

    [Fact]
    public async Task A_few_failures_among_successes_stop_nobody()
    {
        for (var round = 0; round < EnoughToBreak; round++)
        {
            engine.Find(Key, default).ThrowsAsyncForAnyArgs(new StoreUnavailableException("away"));
            await Fail<StoreUnavailableException>(1);
            engine.Find(Key, default).ReturnsForAnyArgs((StoredRecord?)null);
            (await store.Find(Key, default)).Should().BeNull();
        }
    }

    [Fact]
    public async Task Faults_are_told_as_they_are_and_are_no_outage()
    {
        engine.Find(Key, default).ThrowsAsyncForAnyArgs(new InvalidOperationException("fault"));
        await Fail<InvalidOperationException>(2 * EnoughToBreak);
        engine.Find(Key, default).ReturnsForAnyArgs((StoredRecord?)null);

        (await store.Find(Key, default)).Should().BeNull();
    }

    [Fact]
    public async Task Beyond_the_most_calls_in_flight_a_call_is_refused_at_once()
    {
        const int MostCallsInFlight = 16_384;
        var answer = new TaskCompletionSource<StoredRecord?>();
        engine.Find(Key, default).ReturnsForAnyArgs(answer.Task);
        var waiting = Enumerable.Range(0, MostCallsInFlight).Select(_ => store.Find(Key, default)).ToArray();

        await Fail<StoreBusyException>(1);

        answer.SetResult(null);
        await Task.WhenAll(waiting);
        (await store.Find(Key, default)).Should().BeNull();
    }

    private async Task Fail<TException>(int times)
        where TException : Exception
    {
        var find = () => store.Find(Key, default);
        for (var time = 0; time < times; time++)
        {
            await find.Should().ThrowAsync<TException>();
        }
    }
}
