using System.Text.Json;
using Dbos.Application.Events;
using Dbos.Application.Paging;
using Dbos.Application.Tasks;
using Dbos.Domain.Audit;
using Dbos.Infrastructure.Events;
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

    public static TheoryData<EventFilter, string[]> Filters => new()
    {
        { Filter(), ["task_ack_error", "task_acknowledged", "tasks_retrieved", "task_scheduled", "result_stored", "result_stored", "module_state_updated", "agent_registered"] },
        { Filter(type: "result_stored"), ["result_stored", "result_stored"] },
        { Filter(agentId: "\"Agent\" 1 / ü"), ["task_acknowledged", "tasks_retrieved", "task_scheduled", "result_stored", "module_state_updated", "agent_registered"] },
        { Filter(requestId: "ein \"Auftrag\" über /"), ["task_ack_error", "task_acknowledged", "tasks_retrieved", "task_scheduled", "result_stored", "module_state_updated"] },
        { Filter(type: "result_stored", agentId: "\"Agent\" 1 / ü", requestId: "ein \"Auftrag\" über /"), ["result_stored"] },
        { Filter(agentId: "agent 2"), ["result_stored"] },
        { Filter(agentId: "agent 3"), [] },
        { Filter(requestId: "another"), ["result_stored"] },
        { Filter(requestId: "ping"), [] },
        { Filter(type: "nothing of this kind"), [] },
    };

    [Theory]
    [MemberData(nameof(Filters))]
    public async Task A_filter_lets_through_what_is_of_its_type_its_agent_and_its_request(EventFilter filter, string[] types)
    {
        const string Agent = "\"Agent\" 1 / ü";
        const string Request = "ein \"Auftrag\" über /";
        await Dbos.Send(Given.Heartbeat(Agent));
        await Dbos.Send(Given.State(Request, agentId: Agent));
        await Dbos.Send(Given.Result(Request, agentId: Agent));
        await Dbos.Send(Given.Result("another", agentId: "agent 2"));
        await Dbos.Send(Given.Task(Request, agentId: Agent));
        await Dbos.Send(Given.Due());
        await Dbos.Send(new AckTask(Request, LeaseToken: 1));
        await Dbos.Send(new AckTask(Request, LeaseToken: 2));

        var list = (await Dbos.Send(new GetEvents(0, filter, string.Empty))).Value;

        list.Events.Select(told => Text(JsonSerializer.Deserialize<JsonElement>(told.Span), "type")).Should().Equal(types);
        list.Next.Should().BeNull();
    }

    [Fact]
    public async Task Pages_hold_every_event_once_and_in_order_whatever_is_told_meanwhile()
    {
        await Dbos.SendAll(Enumerable.Range(0, 500).Select(number => Given.Result($"r{number}", agentId: $"agent {number}")));
        var ids = new List<string>();
        var token = string.Empty;
        do
        {
            var page = (await Dbos.Send(new GetEvents(40, Filter(type: EventTypes.ResultStored), token))).Value;
            ids.AddRange(page.Events.Select(told => Text(JsonSerializer.Deserialize<JsonElement>(told.Span).GetProperty("metadata"), "request_id")));
            token = page.Next?.ToString() ?? string.Empty;
            await Dbos.SendAll(Enumerable.Range(0, 50).Select(number => Given.Result($"later {ids.Count} {number}", agentId: $"agent {number}")));
        }
        while (token.Length > 0);

        ids.Order(StringComparer.Ordinal).Should().Equal(Enumerable.Range(0, 500).Select(number => $"r{number}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_search_ends_where_the_events_are_older_than_asked_for()
    {
        await Told(600, Minutes(-50));
        await Dbos.Send(Given.Result("r1"));

        var list = (await Dbos.Send(new GetEvents(0, Filter(since: Minutes(-10).ToUnixTimeSeconds()), string.Empty))).Value;

        list.Events.Should().ContainSingle();
        list.Next.Should().BeNull();
    }

    [Fact]
    public async Task A_search_in_vain_gives_up_and_says_how_far_it_came_and_can_be_continued()
    {
        const int Many = 60_000;
        await Dbos.Send(Given.Result("r1"));
        var newest = Minutes(-50);
        await Told(Many, newest);

        var first = (await Dbos.Send(new GetEvents(0, Filter(type: "nothing of this kind"), string.Empty))).Value;
        var second = (await Dbos.Send(new GetEvents(0, Filter(type: "nothing of this kind"), first.Next!.ToString()))).Value;

        first.Events.Should().BeEmpty();
        first.SearchedBackTo.Should().BeCloseTo(newest - TimeSpan.FromMilliseconds(50_000), TimeSpan.FromSeconds(1));
        second.Should().BeEquivalentTo(new EventList([], Cut: false));
    }

    private static EventFilter Filter(string type = "", string agentId = "", string requestId = "", long since = 0) =>
        EventFilter.Of(type, agentId, requestId, since);

    private DateTimeOffset Minutes(int minutes) => Dbos.Get<TimeProvider>().GetUtcNow().AddMinutes(minutes);

    /// <summary>One for each millisecond back from then, over all partitions.</summary>
    private Task Told(int count, DateTimeOffset newest) => Task.WhenAll(Port.AllPartitions().Select(partition => Port.Restore(
        new Restoration(partition)
        {
            Events =
            [
                .. from back in Enumerable.Range(0, count)
                   where back % Port.Partitions == partition
                   select (ReadOnlyMemory<byte>)Bytes($$"""{"id":"{{EventIds.First(newest.AddMilliseconds(-back))}}-00000000","type":"old"}"""),
            ],
        },
        None)));

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
