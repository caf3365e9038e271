using Dbos.Domain.Tasks;
using Microsoft.Extensions.DependencyInjection;

namespace Dbos.Application.Tests.Tasks;

public sealed class LeaseSweepTests : IDisposable
{
    private readonly SubstitutedDbos dbos = new();

    [Fact]
    public async Task Where_no_lease_has_expired_there_is_nothing_to_do()
    {
        ExpiredAre();

        (await Sweep()).Should().Be(0);
    }

    [Fact]
    public async Task Expired_leases_are_returned_or_dead_lettered_in_dboss_own_name()
    {
        var last = Samples.Inflight with { Id = "task-2", RetryCount = 3 };
        ExpiredAre(Samples.Inflight, last);
        dbos.Clock.Advance(TimeSpan.FromMinutes(5));

        (await Sweep()).Should().Be(2);
        ShouldHaveSaved("task-1", MeasurementTaskStatus.Pending);
        ShouldHaveSaved("task-2", MeasurementTaskStatus.Failed);
    }

    [Fact]
    public async Task A_lease_that_ended_otherwise_meanwhile_is_left_alone()
    {
        ExpiredAre(Samples.Inflight);
        dbos.Clock.Advance(TimeSpan.FromMinutes(5));
        var completed = Samples.Inflight with { Status = MeasurementTaskStatus.Completed, Version = 3 };
        dbos.Tasks.Configure().Save(default!, default!, default).ReturnsForAnyArgs(new Saved<MeasurementTask>.Conflict(completed));

        (await Sweep()).Should().Be(0);
        await dbos.Tasks.ReceivedWithAnyArgs(1).Save(default!, default!, default);
    }

    public void Dispose() => dbos.Dispose();

    private Task<int> Sweep() => dbos.Services.GetServices<ISweep>().OfType<LeaseSweep>().Single().Run(default);

    private void ExpiredAre(params MeasurementTask[] tasks) => dbos.Tasks.ExpiredLeases(500, Arg.Any<CancellationToken>()).Returns(tasks);

    private void ShouldHaveSaved(string id, MeasurementTaskStatus status) => dbos.Tasks.Received(1).Save(
        Arg.Is<MeasurementTask>(task => task.Id == id && task.Status == status),
        Arg.Is<UnitOfWork>(work => work.Origin == Origin.Background("lease-sweep") && work.Events[0].Type == "task_lease_expired"),
        Arg.Any<CancellationToken>());
}
