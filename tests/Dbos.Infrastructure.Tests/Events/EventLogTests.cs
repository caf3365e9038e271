using System.Globalization;
using System.Text.Json;
using Dbos.Application.Events;
using Dbos.Application.Paging;
using Dbos.Application.Tasks;
using Dbos.Domain.Answers;
using Dbos.Domain.Audit;
using Dbos.Infrastructure.Events;
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
        newest.Select(told => EventId.Parse(Text(told, "id"))!.Value.Position.Milliseconds).Should().BeInDescendingOrder();
        var ordered = Enumerable.Range(0, 40).SelectMany(number => new[] { (EventTypes.ResultStored, $"agent {number}"), (EventTypes.ResultStoreError, $"agent {number}") });

        // Streams do not order what they committed in the same millisecond.
        newest.Take(20).Select(told => (Text(told, "type"), Text(told.GetProperty("metadata"), "agent_id"))).Should().BeSubsetOf(ordered.TakeLast(25));
    }

    [Fact]
    public async Task An_event_begins_with_its_id_and_has_the_members_of_the_contract()
    {
        await Dbos.Send(Given.Result("r1"));

        var json = Text((await Dbos.Send(new GetEvents(1))).Value.Events.Single());

        json.Should().MatchRegex("""^{"id":"\d+-\d+-\d+-0","type":"result_stored",""");
        JsonDocument.Parse(json).RootElement.EnumerateObject().Select(member => member.Name)
            .Should().BeEquivalentTo("id", "type", "message", "metadata", "timestamp", "timestamp_ms", "trace_id", "actor");
    }

    [Theory]
    [InlineData(0, 100)]
    [InlineData(1, 1)]
    [InlineData(10_000, 120)]
    [InlineData(20_000, 120)]
    public async Task As_many_come_as_are_asked_for_and_a_hundred_if_none_are(int limit, int expected)
    {
        await Dbos.SendAll(Enumerable.Range(0, 120).Select(number => Given.Result($"r{number}", agentId: $"agent {number}")));

        (await Newest(limit)).Should().HaveCount(expected);
    }

    [Fact]
    public async Task More_than_ten_thousand_come_in_pages()
    {
        await Import(10_100, Minutes(-1));

        var first = (await Dbos.Send(new GetEvents(20_000))).Value;
        var second = (await Dbos.Send(new GetEvents(20_000, Filter(), first.Next!.ToString()))).Value;

        (first.Events.Count, first.Cut).Should().Be((10_000, false));
        (second.Events.Count, second.Next).Should().Be((100, null));
    }

    [Fact]
    public async Task A_reply_is_cut_before_it_exceeds_its_bytes_and_says_so()
    {
        var large = Bytes($$"""{"text":"{{new string('x', 1024 * 1024)}}","timestamp_ms":1}""");
        await Dbos.Get<IEventStreams>().Import(new EventStreamKey(0, EventLogName.History), [large, large, large, large], None);

        var list = (await Dbos.Send(new GetEvents(10))).Value;
        var rest = (await Dbos.Send(new GetEvents(10, Filter(), list.Next!.ToString()))).Value;

        (list.Cut, list.Events.Count).Should().Be((true, 2));
        list.Events.Sum(told => told.Length).Should().BeLessThan(PageRequest.MostBytes);
        (rest.Cut, rest.Events.Count).Should().Be((false, 2));
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
    public async Task A_filter_passes_what_is_of_its_type_its_agent_and_its_request(EventFilter filter, string[] types)
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

        list.Events.Select(told => Text(JsonSerializer.Deserialize<JsonElement>(told.Span), "type")).Should().BeEquivalentTo(types);
        list.Next.Should().BeNull();
    }

    [Fact]
    public async Task Refused_writes_are_events_and_refused_reads_are_none()
    {
        (await Dbos.Send(new GetEvents(-1))).IsRefused.Should().BeTrue();
        (await Dbos.Send(new GetTask("\n"))).IsRefused.Should().BeTrue();
        (await Dbos.Send(new AckTask("unknown", LeaseToken: 1))).IsRefused.Should().BeTrue();

        (await Newest(10)).Select(told => Text(told, "type")).Should().Equal("task_ack_error");
    }

    [Fact]
    public async Task Pages_hold_every_event_once_whatever_is_committed_meanwhile()
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
    public async Task A_page_token_of_another_store_is_not_kept_any_more()
    {
        var other = await Open(Options);
        await other.Send(Given.Result("r1"));
        await other.Send(Given.Result("r2"));
        var token = (await other.Send(new GetEvents(1))).Value.Next!.ToString();

        (await Dbos.Send(new GetEvents(1, Filter(), token))).Refusal!.Code.Should().Be(RefusalCode.NoLongerKept);
        (await Dbos.Send(new GetEvents(1, Filter(), "no token"))).Refusal!.Code.Should().Be(RefusalCode.Validation);
        (await other.Send(new GetEvents(1, Filter(), token))).Value.Events.Should().ContainSingle();
    }

    [Fact]
    public async Task A_page_that_was_trimmed_meanwhile_is_not_kept_any_more()
    {
        var small = await Open(Options with { Settings = settings => settings with { Partitions = 1, EventRetention = 32 } });
        await small.Send(Given.Result("first"));
        await small.Send(Given.Result("second"));
        var token = (await small.Send(new GetEvents(1))).Value.Next!.ToString();
        await small.SendAll(Enumerable.Range(0, 400).Select(number => Given.Result($"r{number}")));

        (await small.Send(new GetEvents(1, Filter(), token))).Refusal!.Code.Should().Be(RefusalCode.NoLongerKept);
    }

    [Fact]
    public async Task Since_is_compared_with_the_events_own_time()
    {
        await Import(600, Minutes(-50));
        await Dbos.Send(Given.Result("r1"));

        // Behind an event of now, as if the clock had been set back by an hour.
        await Import(1, Minutes(-60));

        var list = (await Dbos.Send(new GetEvents(0, Filter(since: Minutes(-10).ToUnixTimeSeconds()), string.Empty))).Value;

        list.Events.Should().ContainSingle();
        list.Next.Should().BeNull();
    }

    [Fact]
    public async Task A_search_in_vain_stops_and_says_how_far_it_came_and_can_be_continued()
    {
        const int Many = 60_000;
        var newest = Minutes(-50);
        await Import(Many, newest);

        var first = (await Dbos.Send(new GetEvents(0, Filter(type: "nothing of this kind"), string.Empty))).Value;
        var second = (await Dbos.Send(new GetEvents(0, Filter(type: "nothing of this kind"), first.Next!.ToString()))).Value;

        first.Events.Should().BeEmpty();
        first.SearchedBackTo.Should().BeCloseTo(newest - TimeSpan.FromMilliseconds(50_000), TimeSpan.FromSeconds(1));
        second.Should().BeEquivalentTo(new EventList([], Cut: false));
    }

    private static EventFilter Filter(string type = "", string agentId = "", string requestId = "", long since = 0) =>
        EventFilter.Of(type, agentId, requestId, since);

    private DateTimeOffset Minutes(int minutes) => Dbos.Get<TimeProvider>().GetUtcNow().AddMinutes(minutes);

    /// <summary>One event for each millisecond back from an instant, over all partitions.</summary>
    private Task Import(int count, DateTimeOffset newest)
    {
        var streams = Dbos.Get<IEventStreams>();
        return Task.WhenAll(Enumerable.Range(0, streams.Partitions).Select(partition => streams.Import(
            new EventStreamKey(partition, EventLogName.History),
            [
                .. from back in Enumerable.Range(0, count).Reverse()
                   where back % streams.Partitions == partition
                   let at = newest.AddMilliseconds(-back).ToUnixTimeMilliseconds()
                   select (ReadOnlyMemory<byte>)Bytes(string.Create(CultureInfo.InvariantCulture, $$"""{"type":"old","timestamp_ms":{{at}}}""")),
            ],
            None)));
    }

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
