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
                seen.AddRange(batch.Events.Select(told => EventIds.Of(told.Span)));
                after = batch.Place!.ToString();
                if (batch.Events.Count > 0)
                {
                    break;
                }
            }
        }

        await writing;
        var all = (await Dbos.Send(new GetEvents(10_000))).Value.Events.Select(told => EventIds.Of(told.Span));
        seen.Order(StringComparer.Ordinal).Should().Equal(all.Order(StringComparer.Ordinal)).And.HaveCount(Many);
    }

    [Fact]
    public async Task After_an_events_id_comes_what_was_told_later_oldest_first_and_then_what_happens()
    {
        for (var number = 0; number < 50; number++)
        {
            await Dbos.Send(Given.Result($"r{number}", agentId: $"agent {number}"));
        }

        var ids = (await Dbos.Send(new GetEvents(0))).Value.Events.Select(told => EventIds.Of(told.Span)).Reverse().ToArray();
        var requests = new List<string>();
        using var patience = new CancellationTokenSource(Patience);
        await foreach (var batch in Watch(ids[29], patience.Token))
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

        requests.Should().Equal([.. Enumerable.Range(30, 20).Select(number => $"r{number}"), "live"]);
    }

    [Fact]
    public async Task A_watcher_is_told_of_what_its_filter_lets_through()
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
        const int Kept = 32;
        var small = await Open(Options with { Settings = settings => settings with { EventRetention = Kept } });
        await small.Send(Given.Result("first"));
        var id = EventIds.Of((await small.Send(new GetEvents(1))).Value.Events[0].Span);
        var place = await PlaceOf(string.Empty, small);
        await small.SendAll(Enumerable.Range(0, 1_500).Select(number => Given.Result($"r{number}", agentId: $"agent {number % 200}")));

        using var patience = new CancellationTokenSource(Patience);
        var batches = new List<EventBatch>();
        await foreach (var batch in small.Get<IEventLog>().Watch(EventFilter.Any, byId ? id : place, patience.Token))
        {
            batches.Add(batch);
        }

        batches[^1].Refusal!.Code.Should().Be(RefusalCode.NoLongerKept);
        batches.Should().OnlyContain(batch => batch.Events.Count == 0);
    }

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
