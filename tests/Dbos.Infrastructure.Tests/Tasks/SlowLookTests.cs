using Dbos.Application.Pipeline;
using Dbos.Application.Tasks;
using Dbos.Domain.Audit;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Tasks;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;
using Microsoft.Extensions.Time.Testing;

namespace Dbos.Infrastructure.Tests.Tasks;

/// <summary>While one taker looks, another is served from the same lane, whose turn is later then.</summary>
public sealed class SlowLookTests(RedisEngine engine) : IClassFixture<RedisEngine>
{
    [Fact]
    public async Task What_is_left_by_then_is_found()
    {
        await using var dbos = await engine.Open(new OpenOptions { Settings = settings => settings with { Partitions = 1 } });
        await dbos.SendAll([Given.Task("t1"), Given.Task("t2")]);
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var isFirst = true;
        var store = InterceptedStore.Of(dbos.Port, (method, _, go) =>
        {
            var isLate = isFirst && method == nameof(IStore.Due);
            isFirst &= !isLate;
            return isLate ? AfterAnotherTook(() => (Task<IReadOnlyList<IndexEntry>>)go()!) : go();
        });

        (await Take(store)).Should().Equal("t2");

        async Task<IReadOnlyList<IndexEntry>> AfterAnotherTook(Func<Task<IReadOnlyList<IndexEntry>>> look)
        {
            clock.Advance(TimeSpan.FromSeconds(2));
            (await Take(dbos.Port)).Should().Equal("t1");
            return await look();
        }

        async Task<string[]> Take(IStore through)
        {
            var tasks = new TaskRepository(through, dbos.Get<EventWriter>(), dbos.Get<Heartbeats>(), clock);
            var order = new TakeOrder(TaskFilter.Any, Due: null, Limit: 1, TimeSpan.FromMinutes(1));
            return [.. (await tasks.Take(order, new CommitContext { Origin = Origin.Background("test") }, default)).Tasks.Select(task => task.Id)];
        }
    }
}
