using System.Text;
using Dbos.Application;
using Dbos.Application.Pipeline;
using Dbos.Application.Tasks;
using Dbos.Domain.Audit;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Testing;

namespace Dbos.Infrastructure.Tests.Events;

/// <summary>The scripts of the event log, each at the errors that it may meet.</summary>
[Collection(Undisturbed.Name)]
public sealed class EventScriptTests(RedisEngine engine) : IClassFixture<RedisEngine>
{
    private static readonly EventStreamKey Refusals = new(0, EventLogName.Refusals);
    private static readonly OpenOptions OnePartition = new() { Settings = settings => settings with { Partitions = 1 } };

    [Theory]
    [InlineData(CutPoint.BeforeRequest)]
    [InlineData(CutPoint.WithinRequest)]
    [InlineData(CutPoint.BeforeReply)]
    public async Task A_cut_is_noticed_by_nobody_and_a_refusal_is_logged_once(CutPoint point)
    {
        await using var proxy = new TcpProxy(engine.Server.Port);
        await using var dbos = await engine.Open(OnePartition, proxy.Address);
        proxy.CutAt(point, Encoding.UTF8.GetBytes("\"type\":\"task_ack_error\""));

        var answer = await dbos.Send(new AckTask("unknown", LeaseToken: 1));

        answer.IsRefused.Should().BeTrue();
        (await dbos.Get<IEventStreams>().Length(Refusals, default)).Should().Be(1);
    }

    [Fact]
    public async Task Where_a_key_has_the_wrong_type_nothing_at_all_is_written()
    {
        await using var dbos = await engine.Open(OnePartition);
        var redis = engine.Operator.GetDatabase();
        var prefix = $"{{{dbos.Settings.KeyPrefix}:0}}:";
        await redis.StringSetAsync($"{prefix}refusals", "no stream");
        await redis.StringSetAsync($"{prefix}events", "no stream");
        var before = await AllKeys(dbos);

        var log = () => dbos.Get<IEventStreams>().LogRefusal(0, EventWriter.Body(new AuditEvent("t", "m"), new Origin("a", "t")), default);
        var import = () => dbos.Get<IEventStreams>().Import(
            new EventStreamKey(0, EventLogName.History), [Encoding.UTF8.GetBytes("""{"timestamp_ms":1}""")], default);
        await log.Should().ThrowAsync<InvalidOperationException>();
        await import.Should().ThrowAsync<InvalidOperationException>();

        (await AllKeys(dbos)).Should().Equal(before);
        (await redis.StringGetAsync($"{prefix}refusals")).ToString().Should().Be("no stream");
    }

    [Fact]
    public async Task A_full_memory_refuses_the_log_as_an_outage_and_nothing_is_written()
    {
        await using var dbos = await engine.Open(OnePartition);
        await dbos.Send(new AckTask("unknown", LeaseToken: 1));
        await engine.Server.Ask("config", "set", "maxmemory", "1");
        try
        {
            var before = await AllKeys(dbos);
            var log = () => dbos.Get<IEventStreams>().LogRefusal(0, EventWriter.Body(new AuditEvent("t", "m"), new Origin("a", "t")), default);
            await log.Should().ThrowAsync<StoreUnavailableException>();
            (await AllKeys(dbos)).Should().BeSubsetOf(before);
            (await dbos.Get<IEventStreams>().Length(Refusals, default)).Should().Be(1);
        }
        finally
        {
            await engine.Server.Ask("config", "set", "maxmemory", "0");
        }
    }

    private async Task<IReadOnlyList<string>> AllKeys(OpenStore dbos)
    {
        var keys = new List<string>();
        await foreach (var key in engine.Operator.GetServers()[0].KeysAsync(pattern: $"{{{dbos.Settings.KeyPrefix}:*"))
        {
            keys.Add(key.ToString());
        }

        return [.. keys.Order(StringComparer.Ordinal)];
    }
}
