using Dbos.Application.Pipeline;
using Dbos.Domain.Audit;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;

namespace Dbos.Infrastructure.Tests.Events;

public abstract class EventCapTests(IEngine engine) : StoreTests(engine)
{
    private const int Kept = 1_000;

    /// <summary>Redis trims whole nodes of up to 100 entries, the embedded store a tenth of the cap at once.</summary>
    private const int Slack = 100;

    private static readonly EventStreamKey History = new(0, EventLogName.History);
    private static readonly EventStreamKey Refusals = new(0, EventLogName.Refusals);

    protected override OpenOptions Options { get; } = new()
    {
        Settings = settings => settings with { Partitions = 1, EventRetention = Kept },
    };

    private IEventStreams Streams => Dbos.Get<IEventStreams>();

    [Fact]
    public async Task The_history_is_trimmed_to_its_cap_and_keeps_the_newest()
    {
        await Commit(Kept - Slack);
        (await Streams.MayBeTrimmed(History, None)).Should().BeFalse();

        await Commit(Kept);

        (await Streams.Length(History, None)).Should().BeInRange(Kept, Kept + Slack);
        (await Streams.MayBeTrimmed(History, None)).Should().BeTrue();
        (await Dbos.History(count: 50)).Should().ContainSingle(told => told.Contains($"\"r{Kept - 1}\""));
    }

    [Fact]
    public async Task Refusals_have_a_cap_of_their_own_and_push_no_history_out()
    {
        await Commit(Slack);

        for (var number = 0; number < Kept; number++)
        {
            await Streams.LogRefusal(0, EventWriter.Body(new AuditEvent("refused", "no"), new Origin("test", "trace-1")), None);
        }

        (await Streams.Length(History, None)).Should().Be(Slack);
        (await Streams.MayBeTrimmed(History, None)).Should().BeFalse();
        (await Streams.Length(Refusals, None)).Should().BeInRange(Kept / 10, (Kept / 10) + Slack);
        (await Streams.MayBeTrimmed(Refusals, None)).Should().BeTrue();
    }

    private async Task Commit(int count)
    {
        var round = Guid.NewGuid();
        foreach (var some in Enumerable.Range(0, count).Chunk(50))
        {
            await Task.WhenAll(some.Select(number => Dbos.Send(Given.Result($"r{number}", agentId: $"agent {round}"))));
        }
    }
}

public sealed class EventCapOnRedis(RedisEngine engine) : EventCapTests(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class EventCapOnCluster(ClusterEngine engine) : EventCapTests(engine);

public sealed class EventCapOnSqlite(SqliteEngine engine) : EventCapTests(engine), IClassFixture<SqliteEngine>;
