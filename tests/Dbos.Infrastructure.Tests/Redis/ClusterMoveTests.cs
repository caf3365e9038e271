using Dbos.Application.Pipeline;
using Dbos.Application.Tasks;
using Dbos.Domain.Tasks;
using Dbos.Infrastructure.Tests.Engines;
using Dbos.Infrastructure.Tests.Store;

namespace Dbos.Infrastructure.Tests.Redis;

/// <summary>What is asked while a partition's slot is on its way from one master to another.</summary>
[Collection(ClusterEngine.Name)]
public sealed class ClusterMoveTests(ClusterEngine engine) : IAsyncLifetime
{
    /// <summary>Long enough to be refused more than once.</summary>
    private static readonly TimeSpan Underway = TimeSpan.FromMilliseconds(150);

    private OpenStore dbos = null!;
    private int slot;

    public async Task InitializeAsync()
    {
        dbos = await engine.Open(new OpenOptions { Settings = settings => settings with { Partitions = 1 } });
        slot = (await engine.Cluster.SlotsOf($"{{{dbos.Settings.KeyPrefix}:*")).Single();
    }

    public async Task DisposeAsync() => await dbos.DisposeAsync();

    [Fact]
    public async Task A_take_that_empties_its_queue_is_done_as_a_whole()
    {
        await dbos.SendAll([Given.Task("t1"), Given.Task("t2")]);
        await dbos.Send(Given.Due(limit: 1));

        var taken = await WhileMoving(() => dbos.Send(Given.Due()));

        taken.Value!.Should().ContainSingle();
        await ShouldBeConsistent(inflight: 2);
    }

    [Fact]
    public async Task A_cancellation_that_empties_its_queue_is_done_as_a_whole()
    {
        await dbos.SendAll([Given.Task("t1"), Given.Task("t2")]);
        await dbos.Send(new CancelTask("t1", string.Empty));

        var cancelled = await WhileMoving(() => dbos.Send(new CancelTask("t2", string.Empty)));

        cancelled.Refusal.Should().BeNull();
        await ShouldBeConsistent(inflight: 0);
    }

    [Fact]
    public async Task What_is_new_is_stored_once()
    {
        await dbos.Send(Given.Result("r1"));

        (await WhileMoving(() => dbos.Send(Given.Result("r2")))).Value!.Duplicate.Should().BeFalse();

        (await dbos.Lines()).Count(line => line == "other result:r2").Should().Be(1);
    }

    /// <summary>Begins the act when no key has moved yet, and lets it wait for them.</summary>
    private async Task<T> WhileMoving<T>(Func<Task<T>> act)
    {
        var move = await engine.Cluster.BeginMove(slot, await engine.Cluster.NextAfter(slot));
        var acting = act();
        await Task.Delay(Underway);
        var isEarly = acting.IsCompletedSuccessfully;
        while (await move.MoveKeys(most: 3))
        {
        }

        await move.End();
        var answer = await acting;
        isEarly.Should().BeFalse("Redis runs nothing of it while its keys part");
        return answer;
    }

    private async Task ShouldBeConsistent(int inflight)
    {
        await foreach (var slice in dbos.Get<ITaskAudit>().Run(repair: false, new Origin("test", "trace-1")))
        {
            slice.Inconsistencies.Should().BeEmpty();
        }

        (await dbos.Send(new ListTasks(MeasurementTaskStatus.Inflight.Word(), TaskFilter.Any, new(0, string.Empty)))).Value.Items.Should().HaveCount(inflight);
    }
}
