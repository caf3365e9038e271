using System.Text.Json;
using Dbos.Application.Events;
using Dbos.Application.Paging;
using Dbos.Domain.Audit;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;

namespace Dbos.Infrastructure.Tests.Events;

public abstract class EventLogTests(IEngine engine) : StoreTests(engine)
{
    [Fact]
    public async Task The_newest_events_over_all_partitions_and_both_logs_come_newest_first()
    {
        for (var number = 0; number < 40; number++)
        {
            await Dbos.Send(Given.Result($"r{number}", agentId: $"agent {number}"));
            await Dbos.Send(Given.Result(string.Empty, agentId: $"agent {number}"));
        }

        var newest = await Newest(limit: 25);

        newest.Should().HaveCount(25);
        newest.Select(told => Text(told, "id")).Should().BeInDescendingOrder(StringComparer.Ordinal);
        newest.Select(told => (Text(told, "type"), Text(told.GetProperty("metadata"), "agent_id"))).Should().Equal(
            Enumerable.Range(0, 40).SelectMany(number => new[] { (EventTypes.ResultStored, $"agent {number}"), (EventTypes.ResultStoreError, $"agent {number}") })
                .Reverse().Take(25));
    }

    [Theory]
    [InlineData(0, 100)]
    [InlineData(1, 1)]
    [InlineData(10_000, 120)]
    public async Task As_many_come_as_are_asked_for_and_a_hundred_if_none_are(int limit, int expected)
    {
        await Dbos.SendAll(Enumerable.Range(0, 120).Select(number => Given.Result($"r{number}", agentId: $"agent {number}")));

        (await Newest(limit)).Should().HaveCount(expected);
    }

    [Fact]
    public async Task A_reply_is_cut_before_it_exceeds_its_bytes_and_says_so()
    {
        var large = Bytes($$"""{"id":"1","text":"{{new string('x', 1024 * 1024)}}"}""");
        for (var number = 0; number < 4; number++)
        {
            await Port.Append(0, EventLogName.History, large, None);
        }

        var list = (await Dbos.Send(new GetEvents(10))).Value;

        list.Cut.Should().BeTrue();
        list.Events.Sum(told => told.Length).Should().BeInRange(2 * large.Length, PageRequest.MostBytes);
    }

    [Fact]
    public async Task Without_events_none_come() => (await Newest(10)).Should().BeEmpty();

    private static string Text(JsonElement told, string name) => told.GetProperty(name).GetString()!;

    private async Task<List<JsonElement>> Newest(int limit)
    {
        var list = (await Dbos.Send(new GetEvents(limit))).Value;
        list.Cut.Should().BeFalse();
        return [.. list.Events.Select(told => JsonSerializer.Deserialize<JsonElement>(told.Span))];
    }
}

public sealed class EventLogOnRedis(RedisEngine engine) : EventLogTests(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class EventLogOnCluster(ClusterEngine engine) : EventLogTests(engine);

public sealed class EventLogOnSqlite(SqliteEngine engine) : EventLogTests(engine), IClassFixture<SqliteEngine>;
