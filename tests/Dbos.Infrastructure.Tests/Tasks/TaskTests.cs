using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Application.Tasks;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;

namespace Dbos.Infrastructure.Tests.Tasks;

/// <summary>A suite of the task queue that holds on every engine.</summary>
public abstract class TaskTests(IEngine engine) : StoreTests(engine)
{
    protected static readonly Origin Caller = new("test", "trace-1");

    protected ITaskRepository Tasks => Dbos.Get<ITaskRepository>();

    protected DateTimeOffset Now => Dbos.Get<TimeProvider>().GetUtcNow();

    protected static CommitContext Context => new() { Origin = Caller };

    /// <summary>Equal in all, the payload's bytes and the history included.</summary>
    protected static void ShouldEqual(object? actual, object expected, string because = "") => actual.Should().BeEquivalentTo(
        expected,
        options => options
            .Using<ReadOnlyMemory<byte>>(bytes => bytes.Subject.ToArray().Should().Equal(bytes.Expectation.ToArray()))
            .WhenTypeIs<ReadOnlyMemory<byte>>(),
        because);

    protected async Task<MeasurementTask> Stored(string id = "t1") => (await Tasks.Find(id, None)) ?? throw new InvalidOperationException($"there is no task {id}");

    protected Task<IReadOnlyList<MeasurementTask>> Take(
        TaskFilter? filter = null, int limit = 100, TimeSpan? lease = null, bool reportsEnds = false) =>
        Tasks.Take(new TakeOrder(filter ?? TaskFilter.Any, Due: null, limit, lease ?? TimeSpan.FromMinutes(5), reportsEnds), Caller, None);

    protected async Task<MeasurementTask> TakeOne(TimeSpan? lease = null) => (await Take(limit: 1, lease: lease)).Should().ContainSingle().Subject;

    /// <summary>Waits for the lease of a task that was taken for a moment.</summary>
    protected Task Expire() => Testing.Eventually.True(
        async () => await Tasks.ExpireLeases(Caller, None) > 0, TimeSpan.FromSeconds(5), "the lease expires");

    /// <summary>The task runs out of its one retry.</summary>
    protected async Task<MeasurementTask> Die(string id = "t1")
    {
        await Dbos.Send(Given.Task(id, maxRetries: 1));
        foreach (var reason in new[] { "first", "second" })
        {
            var task = await TakeOne();
            (await Dbos.Send(Given.Nack(token: task.LeaseToken, reason: reason, id: task.Id))).IsRefused.Should().BeFalse();
        }

        return await Stored(id);
    }

    protected async Task<IReadOnlyList<string>> Listed(MeasurementTaskStatus? status, TaskFilter? filter = null) =>
        [.. (await Tasks.List(status, filter ?? TaskFilter.Any, new PageRequest(0, string.Empty), None)).Items.Select(task => task.Id)];
}
