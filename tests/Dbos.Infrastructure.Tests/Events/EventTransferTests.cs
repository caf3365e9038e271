using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;
using Dbos.Infrastructure.Transfer;

namespace Dbos.Infrastructure.Tests.Events;

public abstract class EventTransferTests(IEngine engine) : StoreTests(engine)
{
    [Fact]
    public async Task Both_logs_arrive_in_their_order_with_their_own_times_and_where_they_belong()
    {
        for (var number = 0; number < 30; number++)
        {
            await Dbos.Send(Given.State($"r{number}"));
            await Dbos.Send(Given.State($"r{number}", "created"));
        }

        var other = await Open(Options);
        var exported = await Export(Dbos);
        await other.Get<ISubjectTransfer<ExportedEvent>>().Import(exported, None);

        exported.Should().HaveCount(60);
        exported.Take(30).Should().OnlyContain(each => each.Log == EventLogName.History);
        (await Export(other)).Select(AsText).Should().BeEquivalentTo(exported.Select(AsText));
        var partition = other.Get<IEventStreams>().PartitionOf("r7");
        (await other.History(partition)).Should().ContainSingle(json => json.Contains("\"r7\""));
    }

    [Fact]
    public async Task More_than_is_read_at_once_is_exported_once_each()
    {
        await Dbos.Get<IEventStreams>().Import(
            new EventStreamKey(0, EventLogName.History),
            [.. Enumerable.Range(1, 1_200).Select(number => (ReadOnlyMemory<byte>)Bytes($$"""{"timestamp_ms":{{number}}}"""))],
            None);

        (await Export(Dbos)).Select(each => EventJson.TimeOf(each.Json.Span)).Should().Equal(Enumerable.Range(1, 1_200).Select(number => (long)number));
    }

    [Fact]
    public async Task An_event_of_an_older_export_loses_its_id()
    {
        var old = Bytes("""{"id":"0193f0a1b2c30001-00c0ffee","type":"t","metadata":{"agent_id":"a1"},"timestamp_ms":7,"actor":"a"}""");

        await Dbos.Get<ISubjectTransfer<ExportedEvent>>().Import([new ExportedEvent(EventLogName.Refusals, old)], None);

        Text((await Export(Dbos)).Single().Json).Should().Be("""{"type":"t","metadata":{"agent_id":"a1"},"timestamp_ms":7,"actor":"a"}""");
        var stream = new EventStreamKey(Dbos.Get<IEventStreams>().PartitionOf("a1"), EventLogName.Refusals);
        (await Dbos.Get<IEventStreams>().Backward(stream, from: null, 1, None)).Single().Position.Milliseconds.Should().Be(7);
    }

    private static string AsText(ExportedEvent exported) => $"{exported.Log} {Text(exported.Json)}";

    private static async Task<List<ExportedEvent>> Export(OpenStore store)
    {
        var exported = new List<ExportedEvent>();
        await foreach (var each in store.Get<ISubjectTransfer<ExportedEvent>>().Export())
        {
            exported.Add(each);
        }

        return exported;
    }
}

public sealed class EventTransferOnRedis(RedisEngine engine) : EventTransferTests(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class EventTransferOnCluster(ClusterEngine engine) : EventTransferTests(engine);

public sealed class EventTransferOnSqlite(SqliteEngine engine) : EventTransferTests(engine), IClassFixture<SqliteEngine>;
