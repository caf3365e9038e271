using System.Diagnostics;
using System.Net;
using Dbos.Application;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;
using NSubstitute;
using NSubstitute.ExceptionExtensions;

namespace Dbos.Infrastructure.Tests.Store;

[Collection(Undisturbed.Name)]
public sealed class ResilientStoreTests
{
    private const int EnoughToBreak = 10;
    private static readonly StoreKey Key = new(0, "record");

    private readonly IStore engine = Substitute.For<IStore>();
    private readonly ResilientStore store;

    public ResilientStoreTests()
    {
        store = new ResilientStore(engine, new Resilience(engine.ServerOf));
    }

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
    public async Task What_one_server_does_not_answer_is_asked_of_the_others_and_of_its_successor()
    {
        var others = new StoreKey(1, "record");
        engine.ServerOf(Key.Partition).Returns(new DnsEndPoint("dead", 1));
        engine.ServerOf(others.Partition).Returns(new DnsEndPoint("alive", 1));
        engine.Find(Key, default).ThrowsAsync(new StoreUnavailableException("away"));
        engine.Find(others, default).Returns((StoredRecord?)null);
        await Fail<StoreUnavailableException>(2 * EnoughToBreak);

        (await store.Find(others, default)).Should().BeNull();

        engine.ServerOf(Key.Partition).Returns(new DnsEndPoint("successor", 1));
        engine.Find(Key, default).Returns((StoredRecord?)null);
        (await store.Find(Key, default)).Should().BeNull();
    }

    [Fact]
    public async Task A_probe_that_succeeds_lets_calls_through_again_at_once()
    {
        engine.Find(Key, default).ThrowsAsyncForAnyArgs(new StoreUnavailableException("away"));
        await Fail<StoreUnavailableException>(EnoughToBreak);
        engine.Find(Key, default).ReturnsForAnyArgs((StoredRecord?)null);
        engine.Probe(Given.Watch, default).ReturnsForAnyArgs(new Pulse([], []));

        await store.Probe(Given.Watch, default);

        (await store.Find(Key, default)).Should().BeNull();
    }

    [Fact]
    public async Task A_probe_that_succeeds_in_part_lets_calls_through_to_that_part_alone()
    {
        var others = new StoreKey(1, "record");
        engine.ServerOf(Key.Partition).Returns(new DnsEndPoint("dead", 1));
        engine.ServerOf(others.Partition).Returns(new DnsEndPoint("back", 1));
        engine.Find(default, default).ThrowsAsyncForAnyArgs(new StoreUnavailableException("away"));
        await Fail<StoreUnavailableException>(EnoughToBreak);
        await Fail<StoreUnavailableException>(EnoughToBreak, others);
        engine.Find(default, default).ReturnsForAnyArgs((StoredRecord?)null);
        engine.Probe(Given.Watch, default).ReturnsForAnyArgs(
            new Pulse([], []) { Away = new([Key.Partition], new StoreUnavailableException("away")) });

        await store.Probe(Given.Watch, default);

        (await store.Find(others, default)).Should().BeNull();
        await Fail<StoreUnavailableException>(1);
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
    public async Task A_brief_outage_is_waited_out()
    {
        engine.Find(Key, default).ReturnsForAnyArgs<StoredRecord?>(_ => throw Brief(mayBeDone: true), _ => throw Brief(mayBeDone: false), _ => null);

        (await store.Find(Key, default)).Should().BeNull();
    }

    [Fact]
    public async Task A_brief_outage_that_lasts_is_an_outage()
    {
        engine.Find(Key, default).ThrowsAsyncForAnyArgs(Brief(mayBeDone: false));

        await Fail<StoreUnavailableException>(1);

        engine.ReceivedCalls().Should().HaveCountGreaterThan(4);
    }

    [Fact]
    public async Task No_trial_begins_so_late_that_its_end_would_be_beyond_what_callers_are_promised()
    {
        var begins = new List<TimeSpan>();
        var since = Stopwatch.StartNew();
        engine.Find(Key, default).ReturnsForAnyArgs(_ => LateFailure());

        async Task<StoredRecord?> LateFailure()
        {
            begins.Add(since.Elapsed);
            await Task.Delay(300);
            throw Brief(mayBeDone: true);
        }

        await Fail<StoreUnavailableException>(1);

        begins.Should().HaveCountGreaterThan(1).And.OnlyContain(begun => begun < TimeSpan.FromSeconds(1.2));
    }

    [Theory]
    [InlineData(false, 2)]
    [InlineData(true, 1)]
    public async Task What_must_not_be_done_twice_is_asked_again_only_if_it_was_not_done(bool mayBeDone, int asked)
    {
        engine.Restore(default!, default).ReturnsForAnyArgs(_ => throw Brief(mayBeDone), _ => Task.CompletedTask);
        var restore = () => store.Restore(new Restoration(0), default);

        await (mayBeDone ? restore.Should().ThrowAsync<BriefOutageException>() : (Task)restore.Should().NotThrowAsync());

        await engine.ReceivedWithAnyArgs(asked).Restore(default!, default);
    }

    [Theory]
    [InlineData(true, "ours", true)]
    [InlineData(true, "another's", false)]
    [InlineData(false, "ours", false)]
    public async Task A_commit_whose_answer_was_lost_knows_what_it_left_behind(bool mayBeDone, string found, bool isDone)
    {
        var commit = new Commit(0, "record", ExpectedVersion: 1, Bytes("ours"));
        var conflict = new CommitOutcome.Conflict(Record(2, found));
        Answer(Brief(mayBeDone), conflict);

        var outcome = (await store.Commit([commit], default)).Should().ContainSingle().Subject;

        outcome.Should().Be(isDone ? CommitOutcome.Done.Instance : conflict);
    }

    [Fact]
    public async Task A_commit_whose_answer_was_lost_knows_its_mark_and_that_it_deleted()
    {
        var marks = new Commit(0, "marked", 0, Bytes("1")) { Mark = new Mark("mark", Bytes("1 hash"), TimeSpan.FromDays(1)) };
        var deletes = new Commit(0, "deleted", 1, Bytes("2")) { Deletes = true };
        CommitOutcome[] outcomes = [new CommitOutcome.Marked(Bytes("1 hash")), new CommitOutcome.Conflict(null), new CommitOutcome.Marked(Bytes("2 hash"))];
        engine.Commit(null!, default).ReturnsForAnyArgs(_ => throw Brief(mayBeDone: true), _ => outcomes);

        (await store.Commit([marks, deletes, marks], default)).Should().Equal(
            CommitOutcome.Done.Instance, CommitOutcome.Done.Instance, outcomes[2]);
    }

    /// <summary>What was written over it meanwhile may have been written over ours.</summary>
    [Theory]
    [InlineData(3L, false)]
    [InlineData(1L, false)]
    [InlineData(null, false)]
    [InlineData(3L, true)]
    public async Task A_commit_of_which_nobody_can_tell_whether_it_was_done_is_an_outage_and_not_decided_again(long? found, bool deletes)
    {
        var commit = new Commit(0, "record", ExpectedVersion: 1, Bytes("ours")) { Deletes = deletes };
        Answer(Brief(mayBeDone: true), new CommitOutcome.Conflict(found is { } version ? Record(version, "theirs") : null));
        var send = () => store.Commit([commit], default);

        (await send.Should().ThrowAsync<StoreUnavailableException>()).And.Should().NotBeOfType<BriefOutageException>();
        await engine.ReceivedWithAnyArgs(2).Commit(null!, default);
    }

    [Theory]
    [InlineData(2L, true, false)]
    [InlineData(3L, false, true)]
    [InlineData(null, true, true)]
    public async Task A_commit_that_surely_was_not_done_is_decided_again(long? found, bool deletes, bool isMarked)
    {
        var commit = new Commit(0, "record", ExpectedVersion: 1, Bytes("ours"))
        {
            Deletes = deletes,
            Mark = isMarked ? new Mark("mark", Bytes("2 hash"), TimeSpan.FromDays(1)) : null,
        };
        var conflict = new CommitOutcome.Conflict(found is { } version ? Record(version, "theirs") : null);
        Answer(Brief(mayBeDone: true), conflict);

        (await store.Commit([commit], default)).Should().Equal(conflict);
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

    private static BriefOutageException Brief(bool mayBeDone) => new("the connection broke", null, mayBeDone);

    private static StoredRecord Record(long version, string document) => new(version, Bytes(document), default, 0, null);

    private static byte[] Bytes(string text) => System.Text.Encoding.UTF8.GetBytes(text);

    private void Answer(Exception first, CommitOutcome then) =>
        engine.Commit(null!, default).ReturnsForAnyArgs(_ => throw first, _ => [then]);

    private async Task Fail<TException>(int times, StoreKey? key = null)
        where TException : Exception
    {
        var find = () => store.Find(key ?? Key, default);
        for (var time = 0; time < times; time++)
        {
            await find.Should().ThrowAsync<TException>();
        }
    }
}
