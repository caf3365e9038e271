using Dbos.Application;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;
using NSubstitute;

namespace Dbos.Infrastructure.Tests.Events;

public sealed class EventHeadsTests(SqliteEngine engine) : StoreTests(engine), IClassFixture<SqliteEngine>
{
    [Fact]
    public async Task A_look_for_all_who_wait_is_in_the_trace_of_none()
    {
        using var caller = new TracedCaller();

        await Dbos.Get<EventHeads>().Next(None);

        caller.Children.Should().BeEmpty();
    }

    [Fact]
    public async Task Who_asks_while_a_look_is_under_way_gets_the_next_one_together_with_all_others()
    {
        const int StreamsOfAPartition = 2;
        var streams = Substitute.For<IEventStreams>();
        streams.Partitions.Returns(1);
        var looks = 0;
        var answer = new TaskCompletionSource<IReadOnlyList<StoredEvent>>();
        streams.Backward(default, default, default, default).ReturnsForAnyArgs(_ =>
        {
            Interlocked.Increment(ref looks);
            return answer.Task;
        });
        var heads = new EventHeads(streams, TimeProvider.System);

        var first = heads.Now(None);
        await Testing.Eventually.True(() => Volatile.Read(ref looks) == StreamsOfAPartition, TimeSpan.FromSeconds(10), "a look is under way");
        var others = Enumerable.Range(0, 100).Select(_ => heads.Now(None)).ToArray();
        answer.SetResult([]);
        await Task.WhenAll([first, .. others]);

        looks.Should().Be(2 * StreamsOfAPartition);
    }

    [Fact]
    public async Task Who_waits_for_a_look_that_fails_fails_with_it_and_the_next_one_looks_again()
    {
        var streams = Substitute.For<IEventStreams>();
        streams.Partitions.Returns(1);
        var looks = 0;
        var answer = new TaskCompletionSource<IReadOnlyList<StoredEvent>>();
        streams.Backward(default, default, default, default).ReturnsForAnyArgs(_ => Interlocked.Increment(ref looks) > 2 ? Task.FromResult<IReadOnlyList<StoredEvent>>([]) : answer.Task);
        var heads = new EventHeads(streams, TimeProvider.System);

        var first = heads.Now(None);
        await Testing.Eventually.True(() => Volatile.Read(ref looks) == 2, TimeSpan.FromSeconds(10), "a look is under way");
        var second = heads.Now(None);
        answer.SetException(new StoreUnavailableException("Redis did not answer"));

        await first.Awaiting(task => task).Should().ThrowAsync<StoreUnavailableException>();
        await second.Awaiting(task => task).Should().ThrowAsync<StoreUnavailableException>();
        looks.Should().Be(2, "a second look would double the wait");
        (await heads.Now(None)).Should().HaveCount(2);
    }
}
