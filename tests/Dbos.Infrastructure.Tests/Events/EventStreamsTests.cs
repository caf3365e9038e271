using System.Globalization;
using Dbos.Application.Pipeline;
using Dbos.Domain.Audit;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;

namespace Dbos.Infrastructure.Tests.Events;

/// <summary>What search, watch and moves rely on of an engine.</summary>
public abstract class EventStreamsTests(IEngine engine) : StoreTests(engine)
{
    private static readonly EventStreamKey History = new(0, EventLogName.History);
    private static readonly EventStreamKey Refusals = new(0, EventLogName.Refusals);
    private static readonly Origin Caller = new("test", "trace-1");

    protected override OpenOptions Options { get; } = new() { Settings = settings => settings with { Partitions = 1 } };

    private IEventStreams Streams => Dbos.Get<IEventStreams>();

    [Fact]
    public async Task Entries_are_read_from_a_position_on_in_either_direction()
    {
        await Import(History, 1, 2, 3, 4, 5);
        var all = await Streams.Forward(History, from: null, 10, None);

        Numbers(all).Should().Equal(1, 2, 3, 4, 5);
        all.Select(entry => entry.Position.Milliseconds).Should().Equal(1, 2, 3, 4, 5);
        Numbers(await Streams.Forward(History, all[2].Position, 2, None)).Should().Equal(3, 4);
        Numbers(await Streams.Backward(History, from: null, 2, None)).Should().Equal(5, 4);
        Numbers(await Streams.Backward(History, all[2].Position, 10, None)).Should().Equal(3, 2, 1);
        (await Streams.Length(History, None)).Should().Be(5);
    }

    [Fact]
    public async Task A_stream_without_entries_has_none_in_any_direction()
    {
        await Import(History, 1);

        (await Streams.Forward(Refusals, from: null, 10, None)).Should().BeEmpty();
        (await Streams.Backward(Refusals, from: null, 10, None)).Should().BeEmpty();
        (await Streams.LastBefore(Refusals, long.MaxValue, None)).Should().BeNull();
        (await Streams.Length(Refusals, None)).Should().Be(0);
    }

    [Theory]
    [InlineData(1, null)]
    [InlineData(10, null)]
    [InlineData(11, 10L)]
    [InlineData(20, 10L)]
    [InlineData(21, 20L)]
    [InlineData(31, 30L)]
    [InlineData(1_000, 40L)]
    public async Task The_last_entry_before_an_instant_is_found(long milliseconds, long? expected)
    {
        await Import(History, 10, 20, 20, 30, 40);

        var last = await Streams.LastBefore(History, milliseconds, None);

        (last?.Milliseconds).Should().Be(expected);
    }

    [Fact]
    public async Task Positions_grow_although_times_go_back()
    {
        await Import(History, 50, 10, 10);
        await Import(History, 20, 60);

        var all = await Streams.Forward(History, from: null, 10, None);

        Numbers(all).Should().Equal(50, 10, 10, 20, 60);
        all.Select(entry => entry.Position.Milliseconds).Should().Equal(50, 50, 50, 50, 60);
        all.Zip(all.Skip(1)).Should().OnlyContain(pair => pair.Second.Position.IsAfter(pair.First.Position));
    }

    [Fact]
    public async Task A_refusal_has_the_time_of_its_commit_at_the_end_and_a_position_of_that_time()
    {
        var before = Dbos.Get<TimeProvider>().GetUtcNow().ToUnixTimeMilliseconds();
        await Streams.LogRefusal(0, EventWriter.Body(new AuditEvent("refused", "no"), Caller), None);

        var entry = (await Streams.Backward(Refusals, from: null, 1, None)).Single();

        var time = EventJson.TimeOf(entry.Json.Span);
        time.Should().BeInRange(before - 100, Dbos.Get<TimeProvider>().GetUtcNow().ToUnixTimeMilliseconds() + 100);
        entry.Position.Milliseconds.Should().BeInRange(time, time + 100);
        Text(entry.Json).Should().Be(string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"type":"refused","message":"no","metadata":{},"trace_id":"trace-1","actor":"test","timestamp":{{time / 1_000}},"timestamp_ms":{{time}}}"""));
        (await Streams.MayBeTrimmed(Refusals, None)).Should().BeFalse();
    }

    [Fact]
    public async Task A_generation_lasts_until_the_next_import()
    {
        var first = await Streams.Generation(None);
        var beside = await OpenBeside(Dbos);

        first.Should().MatchRegex("^[0-9a-f]{16}$");
        (await beside.Get<IEventStreams>().Generation(None)).Should().Be(first);
        await Dbos.Get<Infrastructure.Store.IStoreLayout>().BeginMove("digest", None);
        await Dbos.Get<Infrastructure.Store.IStoreLayout>().EndMove(None);
        var next = await OpenBeside(Dbos);
        (await next.Get<IEventStreams>().Generation(None)).Should().NotBe(first);
    }

    private static IEnumerable<long> Numbers(IEnumerable<StoredEvent> entries) => entries.Select(entry => EventJson.TimeOf(entry.Json.Span));

    private Task Import(EventStreamKey stream, params long[] times) => Streams.Import(
        stream,
        [.. times.Select(time => (ReadOnlyMemory<byte>)Bytes(string.Create(CultureInfo.InvariantCulture, $$"""{"type":"old","timestamp_ms":{{time}},"actor":"a"}""")))],
        None);
}

public sealed class EventStreamsOnRedis(RedisEngine engine) : EventStreamsTests(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class EventStreamsOnCluster(ClusterEngine engine) : EventStreamsTests(engine);

public sealed class EventStreamsOnSqlite(SqliteEngine engine) : EventStreamsTests(engine), IClassFixture<SqliteEngine>;
