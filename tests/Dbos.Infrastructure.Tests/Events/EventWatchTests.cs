using System.Text.Json;
using Dbos.Application.Events;
using Dbos.Domain.Answers;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;

namespace Dbos.Infrastructure.Tests.Events;

public abstract class EventWatchTests(IEngine engine) : StoreTests(engine)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_watcher_that_resumes_again_and_again_sees_every_event_of_concurrent_writers_once()
    {
        const int Many = 1_000;
        var seen = new List<string>();
        var after = await PlaceOf(string.Empty);
        await using var beside = await OpenBeside(Dbos);
        var writing = Task.WhenAll(((OpenStore[])[Dbos, beside]).Select((store, i) => store.SendAll(
            Enumerable.Range(0, Many / 2).Select(number => Given.Result($"r{i} {number}", agentId: $"agent {number}")))));

        using var patience = new CancellationTokenSource(Patience);
        while (seen.Count < Many)
        {
            await foreach (var batch in Watch(after, patience.Token))
            {
                seen.AddRange(batch.Events.Select(told => IdOf(told)));
                after = batch.Place!.ToString();
                if (batch.Events.Count > 0)
                {
                    break;
                }
            }
        }

        await writing;
        var all = (await Dbos.Send(new GetEvents(10_000))).Value.Events.Select(told => IdOf(told));
        seen.Order(StringComparer.Ordinal).Should().Equal(all.Order(StringComparer.Ordinal)).And.HaveCount(Many);
    }

    [Fact]
    public async Task After_an_events_id_comes_what_was_committed_later_oldest_first_and_then_what_happens()
    {
        for (var number = 0; number < 50; number++)
        {
            await Dbos.Send(Given.Result($"r{number}", agentId: $"agent {number}"));
        }

        var written = (await Dbos.Send(new GetEvents(0))).Value.Events.Reverse().ToArray();
        var requests = new List<string>();
        using var patience = new CancellationTokenSource(Patience);
        await foreach (var batch in Watch(IdOf(written[29]), patience.Token))
        {
            requests.AddRange(batch.Events.Select(RequestOf));
            if (requests.Count == 20)
            {
                await Dbos.Send(Given.Result("live"));
            }
            else if (requests.Count > 20)
            {
                break;
            }
        }

        // Events of one millisecond in several partitions have no order.
        requests[..^1].Should().BeEquivalentTo(written[30..].Select(told => RequestOf(told)));
        requests[^1].Should().Be("live");
    }

    [Fact]
    public async Task A_watcher_gets_what_passes_its_filter()
    {
        var filter = EventFilter.Of("result_stored", "agent 1", string.Empty, 0);
        var after = await PlaceOf(string.Empty);
        await Dbos.Send(Given.Heartbeat("agent 1"));
        await Dbos.Send(Given.Result("r1", agentId: "agent 2"));
        await Dbos.Send(Given.Result("r2", agentId: "agent 1"));

        using var patience = new CancellationTokenSource(Patience);
        await foreach (var batch in Dbos.Get<IEventLog>().Watch(filter, after, patience.Token))
        {
            if (batch.Events.Count > 0)
            {
                batch.Events.Select(RequestOf).Should().Equal("r2");
                break;
            }
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_is_not_kept_any_more_is_said_plainly(bool byId)
    {
        var small = await OpenSmall();
        await small.Send(Given.Result("first"));
        var id = IdOf((await small.Send(new GetEvents(1))).Value.Events[0]);
        var place = await PlaceOf(string.Empty, small);
        await small.SendAll(Enumerable.Range(0, 500).Select(number => Given.Result($"r{number}")));

        await ShouldNotBeKept(small, byId ? id : place);
    }

    [Fact]
    public async Task A_place_in_an_empty_log_is_not_kept_any_more_once_the_log_was_trimmed()
    {
        var small = await OpenSmall();
        var place = await PlaceOf(string.Empty, small);
        await small.SendAll(Enumerable.Range(0, 10).Select(number => Given.Result($"r{number}")));
        (await ReadUntil(small, place, count: 10)).Should().HaveCount(10);

        await small.SendAll(Enumerable.Range(10, 500).Select(number => Given.Result($"r{number}")));

        await ShouldNotBeKept(small, place);
    }

    [Fact]
    public async Task A_place_beyond_the_end_of_the_log_is_not_skipped_in_silence()
    {
        await Dbos.Send(Given.Result("r1"));
        var place = EventPlace.Parse(await PlaceOf(string.Empty))!;
        var lost = place with { Positions = [.. place.Positions.Select(position => position is { } known ? known with { Sequence = known.Sequence + 1 } : position)] };

        await ShouldNotBeKept(Dbos, lost.ToString());
        await Dbos.Send(Given.Result("r2"));
        await ShouldNotBeKept(Dbos, lost.ToString());
    }

    [Fact]
    public async Task A_place_of_another_store_and_an_id_of_a_partition_that_is_not_there_are_not_kept_any_more()
    {
        var other = await Open(Options);

        await ShouldNotBeKept(Dbos, await PlaceOf(string.Empty, other));
        await ShouldNotBeKept(Dbos, "1700000000000-0-999-0");
    }

    [Fact]
    public async Task A_hundred_watchers_share_one_look_and_each_gets_the_event()
    {
        var places = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => PlaceOf(string.Empty)));
        var watching = places.Select(place => ReadUntil(Dbos, place, count: 1)).ToArray();

        await Dbos.Send(Given.Result("r1"));

        (await Task.WhenAll(watching)).Should().OnlyContain(seen => seen.Count == 1);
    }

    private Task<OpenStore> OpenSmall() =>
        Open(Options with { Settings = settings => settings with { Partitions = 1, EventRetention = 32 } });

    private static async Task ShouldNotBeKept(OpenStore store, string after)
    {
        using var patience = new CancellationTokenSource(Patience);
        var batches = new List<EventBatch>();
        await foreach (var batch in store.Get<IEventLog>().Watch(EventFilter.Any, after, patience.Token))
        {
            batches.Add(batch);
        }

        batches[^1].Refusal!.Code.Should().Be(RefusalCode.NoLongerKept);
        batches.Should().OnlyContain(batch => batch.Events.Count == 0);
    }

    private static async Task<List<string>> ReadUntil(OpenStore store, string after, int count)
    {
        using var patience = new CancellationTokenSource(Patience);
        var seen = new List<string>();
        await foreach (var batch in store.Get<IEventLog>().Watch(EventFilter.Any, after, patience.Token))
        {
            seen.AddRange(batch.Events.Select(IdOf));
            if (seen.Count >= count)
            {
                break;
            }
        }

        return seen;
    }

    private static string IdOf(ReadOnlyMemory<byte> json) => JsonSerializer.Deserialize<JsonElement>(json.Span).GetProperty("id").GetString()!;

    private static string RequestOf(ReadOnlyMemory<byte> told) =>
        JsonSerializer.Deserialize<JsonElement>(told.Span).GetProperty("metadata").GetProperty("request_id").GetString()!;

    private IAsyncEnumerable<EventBatch> Watch(string after, CancellationToken cancellation) =>
        Dbos.Get<IEventLog>().Watch(EventFilter.Any, after, cancellation);

    private async Task<string> PlaceOf(string after, OpenStore? store = null)
    {
        await foreach (var batch in (store ?? Dbos).Get<IEventLog>().Watch(EventFilter.Any, after, None))
        {
            return batch.Place!.ToString();
        }

        throw new InvalidOperationException("the first batch did not come");
    }
}

public sealed class EventWatchOnRedis(RedisEngine engine) : EventWatchTests(engine), IClassFixture<RedisEngine>;

[Collection(ClusterEngine.Name)]
public sealed class EventWatchOnCluster(ClusterEngine engine) : EventWatchTests(engine);

public sealed class EventWatchOnSqlite(SqliteEngine engine) : EventWatchTests(engine), IClassFixture<SqliteEngine>;
