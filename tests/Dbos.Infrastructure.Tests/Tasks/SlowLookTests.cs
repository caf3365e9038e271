using System.Reflection;
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
        var store = LateStore.Of(dbos.Port, meanwhile: async () =>
        {
            clock.Advance(TimeSpan.FromSeconds(2));
            (await Take(dbos.Port)).Should().Equal("t1");
        });

        (await Take(store)).Should().Equal("t2");

        async Task<string[]> Take(IStore through)
        {
            var tasks = new TaskRepository(through, dbos.Get<EventWriter>(), dbos.Get<Heartbeats>(), clock);
            var order = new TakeOrder(TaskFilter.Any, Due: null, Limit: 1, TimeSpan.FromMinutes(1));
            return [.. (await tasks.Take(order, new UnitOfWork { Origin = Origin.Background("test") }, default)).Tasks.Select(task => task.Id)];
        }
    }
}

/// <summary>A store whose first answer to what is due comes late.</summary>
public class LateStore : DispatchProxy
{
    private IStore store = null!;
    private Func<Task>? meanwhile;

    public static IStore Of(IStore store, Func<Task> meanwhile)
    {
        var proxy = Create<IStore, LateStore>();
        (((LateStore)(object)proxy).store, ((LateStore)(object)proxy).meanwhile) = (store, meanwhile);
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
        targetMethod!.Name == nameof(IStore.Due) && Interlocked.Exchange(ref meanwhile, null) is { } first
            ? Late(first, () => (Task<IReadOnlyList<IndexEntry>>)targetMethod.Invoke(store, args)!)
            : targetMethod.Invoke(store, args);

    private static async Task<IReadOnlyList<IndexEntry>> Late(Func<Task> first, Func<Task<IReadOnlyList<IndexEntry>>> ask)
    {
        await first();
        return await ask();
    }
}
